#!/usr/bin/env bash
# krb5.conf with MIT's short forms of permitted_enctypes stops Java, and gokrb5 reads an empty list.
#
# Guess:     "aes" and "DEFAULT -rc4", which MIT's manual has, are read by those who read MIT's file,
#            or passed over; and a name means the same in small and large letters.
# Versions:  MIT 1.20.1, Java 17, github.com/jcmturner/gokrb5/v8 v8.4.4.
# Behaviour: Java throws, for "aes" and for "DEFAULT -rc4", where it is asked for a ticket; it takes
#            commas and large letters. gokrb5 reports nothing and ends with no types at all, for the
#            short forms, for commas and for large letters.
# Seen:      the output compared below (numbers of encryption types).
# Matters:   one hardened file for a fleet ("permitted_enctypes = aes") works with kinit, and breaks
#            Java by an error that blames "default etypes"; in Go no type is permitted, and no word said.
# Needs:     Debian 12 (apt, Python 3), Java 17, Go 1.26.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOMODCACHE=$work/mod GOFLAGS=-modcacherw GOWORK=off

apt-get -o APT::Sandbox::User=root download -qq libkrb5-3='1.20.1*' libk5crypto3='1.20.1*' libkrb5support0='1.20.1*'
for package in *.deb; do dpkg -x "$package" root; done
lib=$(dirname "$(find root -name 'libkrb5.so.3')")
cat >read.py <<'PY'
import ctypes
import sys

lib, context = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p()
assert lib.krb5_init_context(ctypes.byref(context)) == 0
types = ctypes.POINTER(ctypes.c_int32)()
assert lib.krb5_get_permitted_enctypes(context, ctypes.byref(types)) == 0
n = next(i for i in range(99) if types[i] == 0)
print([types[i] for i in range(n)])
PY
cat >Read.java <<'JAVA'
public class Read {
    public static void main(String[] args) throws Exception {
        try {
            var config = sun.security.krb5.Config.getInstance();
            System.out.println(java.util.Arrays.toString(config.defaultEtype("permitted_enctypes")));
        } catch (sun.security.krb5.KrbException e) {
            System.out.println("refused");
        }
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
	fmt.Println(c.LibDefaults.PermittedEnctypeIDs)
}
GO
go mod init finding 2>/dev/null
go get github.com/jcmturner/gokrb5/v8/config@v8.4.4 2>/dev/null
go build -o readgo read.go
export KRB5_CONFIG=$work/krb5.conf
jgss=java.security.jgss/sun.security.krb5=ALL-UNNAMED
got=$(for value in "aes256-cts aes128-cts" aes "DEFAULT -rc4" aes256-cts,aes128-cts "AES256-CTS AES128-CTS"; do
  printf '[libdefaults]\n  default_realm = FIRST.TEST\n  permitted_enctypes = %s\n' "$value" >krb5.conf
  echo "$value: MIT $(LD_LIBRARY_PATH=$lib python3 read.py "$lib/libkrb5.so.3")"
  echo "$value: Java $(java -Djava.security.krb5.conf=krb5.conf --add-exports $jgss Read.java 2>/dev/null)"
  echo "$value: gokrb5 $(./readgo)"
done)
want='aes256-cts aes128-cts: MIT [18, 17]
aes256-cts aes128-cts: Java [18, 17]
aes256-cts aes128-cts: gokrb5 [18 17]
aes: MIT [18, 17, 20, 19]
aes: Java refused
aes: gokrb5 []
DEFAULT -rc4: MIT [18, 17, 20, 19, 16, 25, 26]
DEFAULT -rc4: Java refused
DEFAULT -rc4: gokrb5 []
aes256-cts,aes128-cts: MIT [18, 17]
aes256-cts,aes128-cts: Java [18, 17]
aes256-cts,aes128-cts: gokrb5 []
AES256-CTS AES128-CTS: MIT [18, 17]
AES256-CTS AES128-CTS: Java [18, 17]
AES256-CTS AES128-CTS: gokrb5 []'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
