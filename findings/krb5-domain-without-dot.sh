#!/usr/bin/env bash
# A domain without a dot in [domain_realm] covers its hosts for MIT and Java, not for Heimdal, gokrb5.
#
# Guess:     "example.test = REALM" is for the host example.test alone, ".example.test" for the hosts
#            in it, as the manual of krb5.conf says; all read the same file alike.
# Versions:  MIT 1.20.1, Heimdal 7.8, Java 17, github.com/jcmturner/gokrb5/v8 v8.4.4.
# Behaviour: MIT and Java let the line without a dot cover broker.example.test as well. Heimdal makes
#            up a realm from the host's name, gokrb5 has none. The line with a dot is read alike.
# Seen:      the output compared below ("-" is no realm).
# Matters:   the file works with kinit, kvno and Java, and a program in Go asks its own realm for a
#            ticket that another realm has: "server not found in Kerberos database".
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
  default_realm = CLIENTS.TEST
  dns_lookup_realm = false
[domain_realm]
  example.test = BROKERS.TEST
  .dotted.test = DOTTED.TEST
CONF
cat >read.py <<'PY'
import ctypes
import sys

lib, context = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p()
assert lib.krb5_init_context(ctypes.byref(context)) == 0
realms = ctypes.POINTER(ctypes.c_char_p)()
for host in sys.argv[2:]:
    assert lib.krb5_get_host_realm(context, host.encode(), ctypes.byref(realms)) == 0
    print(host, realms[0].decode() or "-")
PY
cat >Read.java <<'JAVA'
public class Read {
    public static void main(String[] hosts) throws Exception {
        var map = sun.security.krb5.PrincipalName.class.getDeclaredMethod("mapHostToRealm", String.class);
        map.setAccessible(true);
        for (String host : hosts) {
            Object realm = map.invoke(null, host);
            System.out.println(host + " " + (realm == null ? "-" : realm));
        }
    }
}
JAVA
cat >read.go <<'GO'
package main

import (
	"cmp"
	"fmt"
	"os"

	"github.com/jcmturner/gokrb5/v8/config"
)

func main() {
	c, err := config.Load("krb5.conf")
	if err != nil {
		panic(err)
	}
	for _, host := range os.Args[1:] {
		fmt.Println(host, cmp.Or(c.ResolveRealm(host), "-"))
	}
}
GO
go mod init finding 2>/dev/null
go get github.com/jcmturner/gokrb5/v8/config@v8.4.4 2>/dev/null
export KRB5_CONFIG=$work/krb5.conf
hosts="example.test broker.example.test broker.dotted.test"
jgss=java.security.jgss/sun.security.krb5=ALL-UNNAMED
got=$(LD_LIBRARY_PATH=$lib python3 read.py "$lib/libkrb5.so.3" $hosts | sed 's/^/MIT /'
  LD_LIBRARY_PATH=$lib python3 read.py "$lib/libkrb5.so.26" $hosts | sed 's/^/Heimdal /'
  java -Djava.security.krb5.conf=krb5.conf --add-exports $jgss --add-opens $jgss Read.java $hosts 2>/dev/null |
    sed 's/^/Java /'
  go run read.go $hosts | sed 's/^/gokrb5 /')
want='MIT example.test BROKERS.TEST
MIT broker.example.test BROKERS.TEST
MIT broker.dotted.test DOTTED.TEST
Heimdal example.test BROKERS.TEST
Heimdal broker.example.test EXAMPLE.TEST
Heimdal broker.dotted.test DOTTED.TEST
Java example.test BROKERS.TEST
Java broker.example.test BROKERS.TEST
Java broker.dotted.test DOTTED.TEST
gokrb5 example.test BROKERS.TEST
gokrb5 broker.example.test -
gokrb5 broker.dotted.test DOTTED.TEST'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
