#!/usr/bin/env bash
# A comment behind a value in krb5.conf is part of the value for MIT and Java, not for Heimdal, gokrb5.
#
# Guess:     "#" begins a comment anywhere, or at the beginning of a line only, for all who read
#            the file.
# Versions:  MIT 1.20.1, Heimdal 7.8, Java 17, github.com/jcmturner/gokrb5/v8 v8.4.4.
# Behaviour: two of four cut it off. For MIT and Java the realm is "FIRST.TEST # of the site".
# Seen:      the output compared below.
# Matters:   a file tried out with a program in Go, or with Heimdal's tools, fails at the brokers with
#            "Cannot find KDC for realm", in which the comment is easily overlooked.
# Needs:     Debian 12 (apt, Python 3), Java 17, Go 1.26.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOMODCACHE=$work/mod GOFLAGS=-modcacherw GOWORK=off

apt-get -o APT::Sandbox::User=root download -qq libkrb5-3='1.20.1*' libk5crypto3='1.20.1*' libkrb5support0='1.20.1*' \
  $(apt-cache depends --recurse --important libkrb5-26-heimdal | grep -oE '[a-z0-9.+-]*heimdal[a-z0-9-]*$' | sort -u)
for package in *.deb; do dpkg -x "$package" root; done
lib=$(dirname "$(find root -name 'libkrb5.so.3')")
cat >krb5.conf <<'CONF'
[libdefaults]
  default_realm = FIRST.TEST # of the site
CONF
cat >read.py <<'PY'
import ctypes
import sys

lib, context = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p()
assert lib.krb5_init_context(ctypes.byref(context)) == 0
realm = ctypes.c_char_p()
assert lib.krb5_get_default_realm(context, ctypes.byref(realm)) == 0
print(realm.value.decode())
PY
cat >Read.java <<'JAVA'
public class Read {
    public static void main(String[] args) throws Exception {
        var config = sun.security.krb5.Config.getInstance();
        System.out.println(config.getDefaultRealm());
    }
}
JAVA
cat >read.go <<'GO'
package main

import (
	"fmt"

	"github.com/jcmturner/gokrb5/v8/config"
)

func main() {
	c, err := config.Load("krb5.conf")
	if err != nil {
		panic(err)
	}
	fmt.Println(c.LibDefaults.DefaultRealm)
}
GO
go mod init finding 2>/dev/null
go get github.com/jcmturner/gokrb5/v8/config@v8.4.4 2>/dev/null
export KRB5_CONFIG=$work/krb5.conf
jgss=java.security.jgss/sun.security.krb5=ALL-UNNAMED
got=$(echo "MIT $(LD_LIBRARY_PATH=$lib python3 read.py "$lib/libkrb5.so.3")"
  echo "Heimdal $(LD_LIBRARY_PATH=$lib python3 read.py "$lib/libkrb5.so.26")"
  echo "Java $(java -Djava.security.krb5.conf=krb5.conf --add-exports $jgss Read.java 2>/dev/null)"
  echo "gokrb5 $(go run read.go)")
want='MIT FIRST.TEST # of the site
Heimdal FIRST.TEST
Java FIRST.TEST # of the site
gokrb5 FIRST.TEST'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
