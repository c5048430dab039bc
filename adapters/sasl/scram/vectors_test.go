package scram

import (
	"testing"

	"github.com/xdg-go/scram"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/ports"
)

const (
	tokenID  = "Wq9Gz1sHTyuRNlvzZ6lKzg"
	tokenMAC = "+EEuzmUQMqsNuyUMBKDPzh2VqHCZhS2TUK2iUqvzTXGhuRn0bFQ1y0vMQvX3W1qRZ3v7YVwW2qkS2Xg2U2b8Rg=="
)

// The conversations of the RFCs, and conversations between Kafka 4.1.2's own client and
// server (ScramSaslClient, ScramSaslServer) with their nonces: each message here equals
// that of Kafka's client. SHA-1 is tested because RFC 5802 has no other example; it is
// not offered.
var vectors = []struct {
	name                                   string
	hash                                   scram.HashGeneratorFcn
	options                                Options
	first, serverFirst, final, serverFinal string
}{
	{"RFC 5802, section 5", scram.SHA1, Options{Username: "user", Password: ports.NewSecret("pencil")},
		"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
		"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
		"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
		"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
	{"RFC 7677, section 3", scram.SHA256, Options{Username: "user", Password: ports.NewSecret("pencil")},
		"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
	{"Kafka, SHA-512", scram.SHA512, Options{Username: "user", Password: ports.NewSecret("pencil")},
		"n,,n=user,r=l9ondxm8xoa44mm2gabtkt6pl",
		"r=l9ondxm8xoa44mm2gabtkt6pl2z2xpo717ph9pbsrordj3khph,s=MWNwbGFyYWVhbm50dmNpNXZlaGYxZmlvZm4=,i=4096",
		"c=biws,r=l9ondxm8xoa44mm2gabtkt6pl2z2xpo717ph9pbsrordj3khph," +
			"p=ZiHlgwNPhOLrFa1s5Y5x5a+ZV3D4W11eDNLKxqFH3tJqd3E7Jl8PUodGY0YXO7HTH6571G40gSt7Ec+LpfcqHg==",
		"v=xZgQdNseJit/EbTGAA4cRl4O/RY/RZWpTfj6C25AY5h7UjSH7qXcyoJwnHtHVCQDWxsCAQtBB1EfiFEtulJ9TA=="},
	{"Kafka, a name with commas and equals signs", scram.SHA256,
		Options{Username: "a,b=c,=2C", Password: ports.NewSecret("p,q=r")},
		"n,,n=a=2Cb=3Dc=2C=3D2C,r=5ql9qb9rwq0eoy7tuhyoivj1m",
		"r=5ql9qb9rwq0eoy7tuhyoivj1m1kozf307z8g4q10utvuuvpu8ft,s=ejh0bWR2ejlhNmxjY2FrcmdlbTh6YnUyMw==,i=5000",
		"c=biws,r=5ql9qb9rwq0eoy7tuhyoivj1m1kozf307z8g4q10utvuuvpu8ft,p=FsmxGoTVm/J+vvQ067zSVSDmSe1pUkOH+c1/WINrLZs=",
		"v=5qa4Vbzb5Ybc5Pk7xgliAgrsUha82L3lKhEf1Ov2ZoM="},
	{"Kafka, a password that SASLprep would change and refuse", scram.SHA512,
		Options{Username: "user", Password: ports.NewSecret("e\u0301\ufb01\u00ad\u0001\U0001f511")},
		"n,,n=user,r=18r9danffk3k6opdc6ktks66a3",
		"r=18r9danffk3k6opdc6ktks66a3fisgv63ad2lsnqtf2gpkda7ka,s=MWdmZTRjazB3dXp0djZueGhjNGxtOWhzcmU=,i=4096",
		"c=biws,r=18r9danffk3k6opdc6ktks66a3fisgv63ad2lsnqtf2gpkda7ka," +
			"p=K0KxPovl7TcwXo7SRQiQo7rulucaucpxoMAQbMiQ/2hCLpny8X3uokhgogPdZCJcans1+lo+ohPg4szWIrzAwQ==",
		"v=zfhTEwPCA4o3CreppefCdefpZe4QvE7bu6HNTjCWgs3iEoGsxXRjb2OP7m7beG1hGKd/nx1QsuQ8EkmnTozAvg=="},
	{"Kafka, a delegation token, SHA-256", scram.SHA256,
		Options{Username: tokenID, Password: ports.NewSecret(tokenMAC), DelegationToken: true},
		"n,,n=Wq9Gz1sHTyuRNlvzZ6lKzg,r=lcjanwjo4ikdfy9w0dhmn8f69,tokenauth=true",
		"r=lcjanwjo4ikdfy9w0dhmn8f6916bw0vrfe68jlq4sl6dnpq6yco,s=MWk4MThsaHBuemtqNHNzeDcwMzJ1b2NtY3Y=,i=4096",
		"c=biws,r=lcjanwjo4ikdfy9w0dhmn8f6916bw0vrfe68jlq4sl6dnpq6yco,p=QxhDgTLRwWCkygKVJzvxzaewYy8XkZCVviiv28k+gRA=",
		"v=S5ND2ITHVknU5uzbbeZltfaVOVVLa3PkAIg5+kGU/V4="},
	{"Kafka, a delegation token, SHA-512", scram.SHA512,
		Options{Username: tokenID, Password: ports.NewSecret(tokenMAC), DelegationToken: true},
		"n,,n=Wq9Gz1sHTyuRNlvzZ6lKzg,r=1ifdtb0q5owkrfumblalmkqovt,tokenauth=true",
		"r=1ifdtb0q5owkrfumblalmkqovtjm535lx0cl7o6k8tf2ne3oeyo,s=Zmt4N2d3amN3bzF6bjhuaDIxbGdkMTVsYg==,i=4096",
		"c=biws,r=1ifdtb0q5owkrfumblalmkqovtjm535lx0cl7o6k8tf2ne3oeyo," +
			"p=eOEQrdAzOrKhgt1GIRSS0fmOalqt98KvbISsHktYSEs4pPHtJVSzuBmsrgJIRwbP49FmsXIWX7u0nUEbc3FG5Q==",
		"v=G8JFnwbenl5KqDyVa2PpbbZgbkxCTCyFJKXUs2vkb13eTUg/SSGck9Ph6H3tkjm0Fr41idvqms6+ATVhCWfaFg=="},
}

func TestVectors(t *testing.T) {
	prepared := vectors[1]
	prepared.name = "RFC 7677, prepared"
	prepared.options = Options{Username: "u\u00adser", Password: ports.NewSecret("p\u00adencil"), Prepare: true}
	for _, v := range append(vectors, prepared) {
		t.Run(v.name, func(t *testing.T) {
			v.options.Runner = saslpeer.Inline
			a := newScram(SHA256, v.options)
			a.user = newKeyring(v.hash, v.options.Prepare).user
			a.nonce = func() (string, error) { return nonceOf(v.first), nil }
			ex := saslpeer.Begin(t, a)
			for _, step := range []struct {
				challenge []byte
				want      string
				done      bool
			}{{nil, v.first, false}, {[]byte(v.serverFirst), v.final, false}, {[]byte(v.serverFinal), "", true}} {
				got, done, err := saslpeer.Step(ex, step.challenge)
				if string(got) != step.want || done != step.done || err != nil {
					t.Fatalf("challenge %q:\ngot  %q, %v, %v\nwant %q, %v", step.challenge, got, done, err, step.want,
						step.done)
				}
			}
		})
	}
}
