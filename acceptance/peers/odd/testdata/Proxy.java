import io.kroxylicious.proxy.KafkaProxy;
import io.kroxylicious.proxy.config.ConfigParser;
import io.kroxylicious.proxy.internal.config.Features;
import java.nio.file.Files;
import java.nio.file.Path;

/** Runs Kroxylicious with a configuration file: its own main class is not on Maven Central. */
public class Proxy {
    public static void main(String[] args) throws Exception {
        ConfigParser parser = new ConfigParser();
        String configuration = Files.readString(Path.of(args[0]));
        try (KafkaProxy proxy = new KafkaProxy(parser, parser.parseConfiguration(configuration),
                Features.defaultFeatures())) {
            proxy.startup();
            System.out.println("started");
            proxy.block();
        }
    }
}
