package sim

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"brokerconn/application/sim/storm"
)

// mostClients is the limit of --clients.
const mostClients = 100_000

// stormDocument is the answer of storm.
type stormDocument struct {
	Clients int        `json:"clients"`
	Storms  []stormRow `json:"storms"`
}

// stormRow is one storm. Attempts are counted per 10 ms.
type stormRow struct {
	Jitter   bool    `json:"jitter"`
	Attempts int     `json:"attempts"`
	Peak     int     `json:"peak"`
	Return   int     `json:"peak_of_return"`
	Median   int     `json:"median"`
	Back     float64 `json:"all_back_seconds"`
	Waited   float64 `json:"longest_setup_seconds"`
}

func stormCommand() *cobra.Command {
	var out string
	var clients int
	c := &cobra.Command{
		Use: "storm", Short: "Let thousands of clients lose a broker and come back",
		Long: `storm simulates clients that lose one broker for 5 s and come back, with and without jitter of
their backoff, and prints how many attempts to connect the broker's host meets per 10 ms and
when all are back. With --out it draws the attempts as SVG.`,
		Example: "  kafkaprobe sim storm --out storm.svg",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return fmt.Errorf("storm takes no argument: %q", args[0])
			case clients < 1 || clients > mostClients:
				return fmt.Errorf("--clients %d: must be from 1 to %d", clients, mostClients)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			storms, err := await(cmd.Context(), func() []storm.Result {
				return []storm.Result{storm.Run(clients, false), storm.Run(clients, true)}
			})
			if err == nil && out != "" {
				err = writeFile(cmd, out, storm.SVG(storms...))
			}
			if err != nil || out == "-" {
				return err
			}
			doc, text := stormDocument{Clients: clients}, ""
			for _, r := range storms {
				doc.Storms = append(doc.Storms, stormRow{r.Jitter, r.Total(), r.Peak(), r.PeakOfReturn(), r.Median(),
					r.Back.Seconds(), r.Waited.Seconds()})
				text += fmt.Sprintf("%s: %s; the longest setup took %v\n", r.Name(), r.Numbers(),
					r.Waited.Round(10*time.Millisecond))
			}
			return answer(cmd, doc, text)
		},
	}
	c.Flags().StringVar(&out, "out", "",
		"write the drawing to this file; - for standard output, and print nothing else")
	c.Flags().IntVar(&clients, "clients", 10_000, "how many clients there are")
	return c
}
