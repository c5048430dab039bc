import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.security.PrivilegedExceptionAction;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import javax.security.auth.Subject;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginContext;
import javax.security.sasl.AuthorizeCallback;
import javax.security.sasl.Sasl;
import javax.security.sasl.SaslServer;

/**
 * Java's SaslServer, which brokers have, for tests. Lines of hex come in, one token
 * each, and go out again. "new QOP" begins a login, with the quality of protection. A
 * line "! ..." is an error, "= NAME" the end of a login. The argument is a keytab; it
 * accepts for every principal in there.
 */
public class Acceptor {
    static String authorized;

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        options.put("keyTab", args[0]);
        options.put("principal", "*");
        options.put("useKeyTab", "true");
        options.put("storeKey", "true");
        options.put("isInitiator", "false");
        Configuration configuration = new Configuration() {
            @Override
            public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
                return new AppConfigurationEntry[] {new AppConfigurationEntry("com.sun.security.auth.module.Krb5LoginModule",
                    AppConfigurationEntry.LoginModuleControlFlag.REQUIRED, options)};
            }
        };
        Subject subject = new Subject();
        new LoginContext("broker", subject, null, configuration).login();
        Subject.doAs(subject, (PrivilegedExceptionAction<Void>) () -> {
            serve();
            return null;
        });
    }

    static SaslServer start(String protection) throws Exception {
        authorized = null;
        return Sasl.createSaslServer("GSSAPI", "kafka", null, Map.of(Sasl.QOP, protection), callbacks -> {
            for (Callback c : callbacks) {
                AuthorizeCallback a = (AuthorizeCallback) c;
                a.setAuthorized(true); // as Kafka does
                authorized = a.getAuthenticationID();
            }
        });
    }

    static void serve() throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        SaslServer server = null;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.startsWith("new ")) {
                server = start(line.substring(4));
                continue;
            }
            try {
                byte[] challenge = server.evaluateResponse(HexFormat.of().parseHex(line));
                if (server.isComplete()) {
                    System.out.println("= " + authorized);
                } else {
                    System.out.println(challenge == null ? "" : HexFormat.of().formatHex(challenge));
                }
            } catch (Exception e) {
                System.out.println("! " + e + " " + e.getCause());
            }
            System.out.flush();
        }
    }
}
