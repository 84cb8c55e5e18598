package main

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// errOtherMail says that the database holds the mail of another path.
var errOtherMail = errors.New("the database was filled from other mail; " +
	"give the same -mail as then, or another -db")

// nobody is whose mailbox it is when no mail says so.
const nobody = "owner@mailbox.invalid"

// source is where mail lies on disk. Without a key its ids follow the path.
type source struct {
	path string
	key  []byte
}

func (s source) open(own []string) *archive.Archive {
	return archive.New(s.path, archive.Options{Own: own, Key: s.key})
}

// openDisk opens the mailbox: that of an earlier run where the database has one, else that of the
// flags, with what they leave open found out from the mail itself.
func (h *host) openDisk(ctx context.Context, o options, src source, last time.Time) error {
	h.path = src.path
	if h.kept != nil && h.kept.Account.ID != "" {
		return h.reopenDisk(ctx, src, last)
	}
	if len(o.me) == 0 || o.asOf.IsZero() {
		f, err := lookAt(ctx, src.open(o.me))
		if err != nil {
			return err
		}
		if o.asOf.IsZero() {
			o.asOf = f.newest
		}
		if len(o.me) == 0 {
			o.me = []string{cmp.Or(f.recipient, nobody)}
		}
	}
	h.setDisk(src.open(o.me))
	h.me, h.clock = o.me, newClock(o.asOf)
	return nil
}

func (h *host) setDisk(mail *archive.Archive) { h.disk, h.service = mail, postbox{mail, h.sent} }

// reopenDisk opens the mailbox of an earlier run. By now it is as much later as the database is old.
func (h *host) reopenDisk(ctx context.Context, src source, last time.Time) error {
	h.me = h.kept.Account.Own()
	h.setDisk(src.open(h.me))
	box, err := h.disk.Open(ctx, provider.Credential{}, nil)
	if err != nil {
		return err
	}
	owner, _ := provider.As[provider.Addresses](box)
	account, err := owner.Account(ctx)
	if err != nil {
		return err
	}
	if account.ID != h.kept.Account.ID {
		return errOtherMail
	}
	state, err := h.store.SyncState(ctx, h.kept.ID)
	if err != nil {
		return err
	}
	h.clock = newClock(h.kept.ConnectedAt)
	if !state.LastSync.IsZero() {
		h.clock = newClock(state.LastSync.Add(time.Since(last)))
	}
	return nil
}

// findings are what a look at the headers of all mail tells.
type findings struct {
	newest    time.Time
	recipient string // the most frequent one
}

func lookAt(ctx context.Context, mail *archive.Archive) (findings, error) {
	var f findings
	counts := make(map[string]int)
	for h, err := range headers(ctx, mail) {
		if err != nil {
			return f, err
		}
		if h.Received.After(f.newest) {
			f.newest = h.Received
		}
		for _, list := range [][]rfc822.Address{h.To, h.Cc} {
			for _, a := range list {
				if isAddress(a.Address) {
					counts[filter.AddressKey(a.Address)]++
				}
			}
		}
	}
	for a, n := range counts { // the first by name of equals
		if n > counts[f.recipient] || n == counts[f.recipient] && a < f.recipient {
			f.recipient = a
		}
	}
	return f, nil
}

// headers yields the headers of all mail, newest first. No mail is opened.
func headers(ctx context.Context, mail *archive.Archive) iter.Seq2[provider.Header, error] {
	return func(yield func(provider.Header, error) bool) {
		box, err := mail.Open(ctx, provider.Credential{}, nil)
		if err != nil {
			yield(provider.Header{}, err)
			return
		}
		w := provider.Walk{Only: true, Bodies: provider.BodiesNever}
		for batch, err := range box.Changes(ctx, "", w) {
			if err != nil {
				yield(provider.Header{}, err)
				return
			}
			for _, h := range batch.Put {
				if !yield(h, nil) {
					return
				}
			}
		}
	}
}
