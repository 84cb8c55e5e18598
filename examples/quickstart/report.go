package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// summary is what -json prints: the ledger of this run, then what the database held after it, then
// what the run cost, then the work that was done on the tickets.
// listed + retried = stored + known + all of rejected + gone + queued + poisoned.
type summary struct {
	Version    string                `json:"version"`
	Listed     int                   `json:"listed"`
	Retried    int                   `json:"retried"`
	Stored     int                   `json:"stored"`
	Known      int                   `json:"known"`
	Rejected   map[filter.Reason]int `json:"rejected"`
	Gone       int                   `json:"gone"`
	Queued     int                   `json:"queued"`
	Poisoned   int                   `json:"poisoned"`
	Unreadable int                   `json:"unreadable"`

	Tickets   int `json:"tickets"`
	Messages  int `json:"messages"`
	Customers int `json:"customers"`
	Companies int `json:"companies"`

	Seconds          float64 `json:"seconds"`
	PerSecond        float64 `json:"messages_per_second"`
	CPUPerMessage    float64 `json:"cpu_ms_per_message"`
	PeakRSSMegabytes float64 `json:"peak_rss_mb"`

	Work day `json:"work"`
}

func (h *host) summary(ctx context.Context, id inbox.ID, run inbox.Run, cost stats) (summary, error) {
	s := summary{
		Version: version(), Listed: run.Listed, Retried: run.Retried, Stored: run.Stored,
		Known: run.Known, Rejected: run.Rejected, Gone: run.Gone, Queued: run.Queued,
		Poisoned: run.Poisoned, Unreadable: run.Unreadable,
		Seconds: round(cost.seconds, 3), PeakRSSMegabytes: round(float64(cost.peakSize)/(1<<20), 1),
	}
	if s.Rejected == nil {
		s.Rejected = map[filter.Reason]int{}
	}
	if n := float64(run.Listed + run.Retried); n > 0 {
		s.PerSecond = round(n/cost.seconds, 1)
		s.CPUPerMessage = round(float64(cost.cpu)/float64(time.Millisecond)/n, 3)
	}
	actor, err := h.actor(ctx, mailboxOwner)
	if err != nil {
		return s, err
	}
	health, err := h.desk.Inboxes.Health(ctx, actor, id)
	if err != nil {
		return s, err
	}
	s.Messages = health.Stored
	for _, err := range h.desk.Tickets.Tickets(ctx, actor, ticket.Query{}) {
		if err != nil {
			return s, err
		}
		s.Tickets++
	}
	for _, err := range h.desk.Inboxes.Customers(ctx, actor, inbox.CustomerQuery{}) {
		if err != nil {
			return s, err
		}
		s.Customers++
	}
	for _, err := range h.desk.Inboxes.Companies(ctx, actor, inbox.CompanyQuery{}) {
		if err != nil {
			return s, err
		}
		s.Companies++
	}
	return s, nil
}

func (s *summary) writeJSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(s)
}

func (s *summary) write(out io.Writer) {
	fmt.Fprintln(out, "Of the mail looked at:")
	rows := table{}
	for _, line := range []struct {
		what string
		n    int
	}{
		{"listed", s.Listed}, {"tried again", s.Retried}, {"stored", s.Stored}, {"known before", s.Known},
		{"gone meanwhile", s.Gone}, {"waiting", s.Queued}, {"given up", s.Poisoned},
	} {
		if line.n > 0 || line.what == "listed" || line.what == "stored" {
			rows.add("  "+line.what, fmt.Sprint(line.n))
		}
	}
	rows.write(out)
	if len(s.Rejected) > 0 {
		fmt.Fprintln(out, "Kept out, and nothing stored of it:")
		writeReasons(out, s.Rejected)
	}
	if s.Unreadable > 0 {
		fmt.Fprintf(out, "%d of the stored ones cannot be read; they are kept as they came, and flagged.\n",
			s.Unreadable)
	}
	fmt.Fprintf(out, "In the database: %d messages, %d tickets, %d customers, %d companies.\n",
		s.Messages, s.Tickets, s.Customers, s.Companies)
	fmt.Fprintf(out, "It took %.1f s: %.0f messages a second, %.1f ms CPU each, %.0f MB of memory.\n",
		s.Seconds, s.PerSecond, s.CPUPerMessage, s.PeakRSSMegabytes)
}

func writeReasons(out io.Writer, reasons map[filter.Reason]int) {
	rows := table{}
	for _, r := range byCount(reasons, func(n int) int { return n }) {
		rows.add("  "+string(r), fmt.Sprint(reasons[r]))
	}
	rows.write(out)
}

func round(f float64, digits int) float64 {
	shift := math.Pow10(digits)
	return math.Round(f*shift) / shift
}
