// Package filter decides which mail of a connected mailbox may enter an inbox. A decision is a pure
// function of facts from the headers, what is known about the thread, the rules of the inbox and a
// snapshot of the site's companies, customers and own addresses: nothing is read or written here, no
// clock is asked, and the same input always gives the same verdict with its reason. Compile makes a
// Filter, Filter.Decide judges one message without allocating memory, and Domain and Pattern are the
// one way to write and compare mail domains.
//
// The first row that applies decides (R-FLT-04; 2, already stored, is for the caller to ask first):
//
//  1. It lies in drafts, spam, trash, chats or the outbox: rejected, skipped_folder.
//  3. It was received before the floor of the inbox: rejected, outside_window.
//  4. It has no usable sender: rejected, no_sender.
//  5. Its sender was erased: rejected, erased.
//  6. It is excluded, as the scope says: rejected, excluded.
//  7. All participants are internal, and the guard is on: rejected, internal_only.
//  8. The policy of its class is to reject, and neither 10, 11 nor 12 would accept: automated.
//  9. The mode is all: accepted, mode_all.
//  10. Its thread has an older message from 11 or 12, and a client is on it: known_thread.
//     10b. It is a delivery report for a message stored or sent here: accepted, report.
//  11. The counterparty is a customer with a company: accepted, customer_company.
//  12. The counterparty's domain is a company's, and not a forced public one: company_domain.
//  13. Otherwise: rejected, not_client_associated.
//
// Rules and directory have a time (R-CHG-06). A message received at t is accepted only if every
// revision of the rules in force at any time from t on accepts it, and companies' domains and
// customers' associations that began after t do not count for it.
package filter

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Config is what a Filter is compiled from.
type Config struct {
	// Revisions of the rules, at least one, in any order. They follow each other by Version; where a
	// clock ran backwards, a revision takes effect no earlier than the one before it.
	Revisions []Revision
	// Directory of the site; nil knows nobody.
	Directory *Directory
	// Own lists the account's addresses: the mailbox and its verified send-as addresses. What is no
	// address is passed over.
	Own []string
	// Floor is the received time before which nothing enters (R-IMP-03).
	Floor time.Time
	// Baseline is the moment of Finish: mail received before it is judged as if received then.
	Baseline time.Time
	// Backfill is for a run that the creator asked for: the newest revision and the whole directory
	// count, whenever a message was received.
	Backfill bool
}

// Filter decides for one inbox. It never changes and is safe for concurrent use. It shares the
// directory and is cheap to make anew when rules change.
type Filter struct {
	rulings  []ruling // oldest first
	dir      *Directory
	own      []string
	floor    time.Time
	baseline int64
	backfill bool
	version  uint64
}

// ruling is one revision, compiled.
type ruling struct {
	rules    Rules
	from     int64 // moment from which it is in force
	guard    bool
	outbound bool
	groups   bool
	blocked  blocklist
}

// Compile makes a Filter. It fails without a revision, with two of the same version, and with rules
// that do not validate: a rule this code does not know must not be passed over.
func Compile(c Config) (*Filter, error) {
	if len(c.Revisions) == 0 {
		return nil, errors.New("filter without rules")
	}
	dir := c.Directory
	if dir == nil {
		dir = &Directory{}
	}
	f := &Filter{
		dir:      dir,
		floor:    c.Floor,
		baseline: nanos(c.Baseline),
		backfill: c.Backfill,
	}
	for _, addr := range c.Own {
		var a address
		if a.read(addr); a.at >= 0 {
			f.own = append(f.own, a.key())
		}
	}
	revisions := slices.Clone(c.Revisions)
	slices.SortFunc(revisions, func(a, b Revision) int {
		if a.Version < b.Version {
			return -1
		}
		return 1
	})
	from := int64(math.MinInt64)
	for i, rev := range revisions {
		if i > 0 && rev.Version == f.version {
			return nil, fmt.Errorf("rules version %d: given twice", rev.Version)
		}
		if err := rev.Rules.Validate(); err != nil {
			return nil, fmt.Errorf("rules version %d: %w", rev.Version, err)
		}
		if i > 0 {
			from = max(from, nanos(rev.At))
		}
		f.version = rev.Version
		f.rulings = append(f.rulings, newRuling(rev.Rules.Normalize(), from))
	}
	if f.backfill {
		f.rulings = f.rulings[len(f.rulings)-1:]
	}
	return f, nil
}

func newRuling(r Rules, from int64) ruling {
	return ruling{
		rules:    r,
		from:     from,
		guard:    r.guard(),
		outbound: r.OutboundOpensTicket.or(true),
		groups:   r.GroupsCount.or(true),
		blocked:  newBlocklist(&r),
	}
}

// Decide judges one message; m is only read. The thread facts may come late: a message rejected as
// NotClientAssociated or Automated is to be decided again when its thread opens at or before its
// received time, and then the accepted set does not depend on the order of decisions (R-FLT-10).
// Nothing is allocated as long as the addresses are ASCII and no longer than 128 bytes.
func (f *Filter) Decide(m *Facts, t Thread) Verdict { return f.decide(m, t, reportUnread) }

// DecideReport judges a message for which Decide said NeedsReport; found says that the message it
// reports on is stored here or was sent from here. With false the rows after 10b decide.
func (f *Filter) DecideReport(m *Facts, t Thread, found bool) Verdict {
	if found {
		return f.decide(m, t, reportFound)
	}
	return f.decide(m, t, reportForeign)
}
