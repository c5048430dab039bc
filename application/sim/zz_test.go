package sim_test
import ("testing";"os";"brokerconn/application/sim")
func TestZZ(t *testing.T) {
	p := sim.Generate(907)
	os.WriteFile(os.Getenv("OUT"), []byte(p.String()+"\n"+sim.Run(p).Trace), 0o644)
}
