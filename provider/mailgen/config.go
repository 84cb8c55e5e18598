// Package mailgen makes mail for tests and benchmarks: a mailbox of any size that looks like the
// mailbox of a person at work, the same bytes for the same seed, and with every message the truth
// about it. It is meant for tests; no package of the library imports it outside of them.
//
//  1. The same Config gives the same messages, byte for byte.
//  2. Text is made of words, so that it compresses like mail; attached files are dense like PDFs.
//  3. Nothing is held but a plan of a few dozen bytes a message: each message is made when asked for.
//  4. Times are whole seconds in UTC, and no message is received outside of Start and End.
package mailgen

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Config says what the mailbox is like. A zero field means its default. Shares lie between 0 and 1;
// a negative share means none.
type Config struct {
	// Seed chooses the mailbox. Two seeds share no message.
	Seed uint64
	// Messages is how many there are. Default 1,000.
	Messages int
	// MeanBytes is the mean size of a raw message, attachments included. Default 15,000. It is met
	// by the length of the texts, which have a least length, so that a small mean with many or large
	// attachments comes out larger.
	MeanBytes int
	// AttachmentShare is the share of messages with an attached file. Default 0.08.
	AttachmentShare float64
	// AttachmentMin and AttachmentMax bound the file's size before encoding. Default 20,000 and
	// 180,000.
	AttachmentMin, AttachmentMax int
	// ThreadMean is the mean number of messages of a conversation. Default 2.6.
	ThreadMean float64
	// AutomatedShare is the share of newsletters and notifications. Default 0.25.
	AutomatedShare float64
	// DuplicateShare is the share of messages that are a second copy of another. Default 0.01.
	DuplicateShare float64
	// AnomalyShare is the share of messages whose Date field is missing, broken or false. Default
	// 0.01.
	AnomalyShare float64
	// ClientShare is the share of conversations that are with a client. Default 0.5; a fifth of them
	// are with customers who write from a public mail service.
	ClientShare float64
	// Owner is the address of the mailbox. Default "olivia.hart@agency.example". Colleagues write
	// from its domain.
	Owner string
	// Clients are the domains of client companies. Default: twelve domains under "example".
	Clients []string
	// Customers are the addresses of clients who have no company domain. Default: eight addresses.
	Customers []string
	// Excluded are domains nobody may see. Default "private.example".
	Excluded []string
	// Start and End bound the received times. Default: the 30 days up to 2026-03-31 12:00 UTC.
	Start, End time.Time
}

func (c Config) withDefaults() Config {
	if c.Messages == 0 {
		c.Messages = 1000
	}
	if c.MeanBytes == 0 {
		c.MeanBytes = 15_000
	}
	if c.AttachmentMin == 0 {
		c.AttachmentMin = 20_000
	}
	if c.AttachmentMax == 0 {
		c.AttachmentMax = max(180_000, c.AttachmentMin)
	}
	if c.ThreadMean == 0 {
		c.ThreadMean = 2.6
	}
	c.AttachmentShare = share(c.AttachmentShare, 0.08)
	c.AutomatedShare = share(c.AutomatedShare, 0.25)
	c.DuplicateShare = share(c.DuplicateShare, 0.01)
	c.AnomalyShare = share(c.AnomalyShare, 0.01)
	c.ClientShare = share(c.ClientShare, 0.5)
	if c.Owner == "" {
		c.Owner = "olivia.hart@agency.example"
	}
	if c.Clients == nil {
		for _, name := range []string{"acme", "northwind", "contoso", "fabrikam", "globex", "initech",
			"umbra", "hooli", "stark", "wayne", "tyrell", "soylent"} {
			c.Clients = append(c.Clients, name+".example")
		}
	}
	if c.Customers == nil {
		for _, name := range people[:8] {
			c.Customers = append(c.Customers, address(name, "freemail.example"))
		}
	}
	if c.Excluded == nil {
		c.Excluded = []string{"private.example"}
	}
	if c.End.IsZero() {
		c.End = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	}
	if c.Start.IsZero() {
		c.Start = c.End.AddDate(0, 0, -30)
	}
	c.Start, c.End = c.Start.UTC().Truncate(time.Second), c.End.UTC().Truncate(time.Second)
	return c
}

func (c Config) validate() error {
	var errs []error
	if c.Messages < 0 {
		errs = append(errs, fmt.Errorf("messages %d is negative", c.Messages))
	}
	if c.ThreadMean < 1 {
		errs = append(errs, fmt.Errorf("thread mean %v is below 1", c.ThreadMean))
	}
	if c.AttachmentMin < 1 || c.AttachmentMax < c.AttachmentMin {
		errs = append(errs, fmt.Errorf("attachment sizes %d to %d are no range",
			c.AttachmentMin, c.AttachmentMax))
	}
	if !c.End.After(c.Start) {
		errs = append(errs, fmt.Errorf("end %v is not after start %v", c.End, c.Start))
	}
	for _, s := range []float64{c.AttachmentShare, c.AutomatedShare, c.DuplicateShare, c.AnomalyShare,
		c.ClientShare} {
		if s > 1 {
			errs = append(errs, fmt.Errorf("share %v is above 1", s))
		}
	}
	if strings.Count(c.Owner, "@") != 1 {
		errs = append(errs, errors.New("the owner is not an address"))
	}
	return errors.Join(errs...)
}

func share(s, otherwise float64) float64 {
	switch {
	case s == 0:
		return otherwise
	case s < 0:
		return 0
	default:
		return s
	}
}
