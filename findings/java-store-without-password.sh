#!/usr/bin/env bash
# A PKCS12 truststore opened without its password is empty to Java, and a JKS one is whole.
#
# Guess:     without the password a store is refused, or its certificates, which are public, are read.
# Versions:  Java 17; stores by its keytool, with the same certificate and the same password.
# Behaviour: in PKCS12 the certificates are encrypted, and Java leaves out what it cannot decrypt: no error,
#            no entry. JKS does not encrypt them, so nothing is missing. The wrong password, an empty one
#            among them, is an error for both.
# Seen:      the output compared below.
# Matters:   ssl.truststore.password may be left out. Once the store is converted to PKCS12,
#            keytool's default since Java 9, the client says "the trustAnchors parameter must be
#            non-empty", and nothing of a password.
# Needs:     Java 17.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

keytool -genkeypair -alias ca -keyalg EC -groupname secp256r1 -dname CN=finding -validity 2 -keystore ca.p12 \
  -storetype PKCS12 -storepass canary 2>/dev/null
keytool -exportcert -alias ca -file ca.der -keystore ca.p12 -storepass canary 2>/dev/null
for type in JKS PKCS12; do
  keytool -importcert -noprompt -alias ca -file ca.der -keystore trust.$type -storetype $type \
    -storepass canary 2>/dev/null
done
cat >Open.java <<'JAVA'
import java.io.*;
import java.security.*;
import java.security.cert.PKIXParameters;

public class Open {
    public static void main(String[] args) throws Exception {
        for (String type : new String[] {"JKS", "PKCS12"}) {
            for (String password : new String[] {"canary", null, ""}) {
                String line = type + " " + (password == null ? "no password" : "[" + password + "]");
                KeyStore store = KeyStore.getInstance(type);
                try (var in = new FileInputStream("trust." + type)) {
                    store.load(in, password == null ? null : password.toCharArray());
                    System.out.println(line + ": entries " + store.size());
                    new PKIXParameters(store);
                } catch (IOException e) {
                    System.out.println(line + ": refused");
                } catch (InvalidAlgorithmParameterException e) {
                    System.out.println(line + ": " + e.getMessage());
                }
            }
        }
    }
}
JAVA
got=$(java Open.java)
want='JKS [canary]: entries 1
JKS no password: entries 1
JKS []: refused
PKCS12 [canary]: entries 1
PKCS12 no password: entries 0
PKCS12 no password: the trustAnchors parameter must be non-empty
PKCS12 []: refused'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
