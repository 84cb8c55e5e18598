package outlook

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/rfc822"
)

var _ provider.Finder = (*mailbox)(nil)

const (
	// findBefore is how much earlier than since is looked, for clocks that differ.
	findBefore = time.Minute
	// findMost is how many sent messages are looked at. Sends are looked for minutes later; who has
	// sent more since then is not told that there is none.
	findMost = 200
)

// Find looks for a sent mail by its marker: by the property it was marked with, and where the account
// sends without drafts, in what was sent since. A draft with the marker has not been sent.
func (m *mailbox) Find(ctx context.Context, marker string, _ provider.ThreadID, since time.Time) (provider.Sent, error) {
	if marker == "" {
		return provider.Sent{}, errors.New("outlook find: the marker is empty")
	}
	var found *message
	err := m.each(ctx, m.address(url.Values{
		"$filter": {"singleValueExtendedProperties/Any(ep: ep/id eq '" + markerProperty + "' and ep/value eq '" +
			strings.ReplaceAll(marker, "'", "''") + "')"},
		"$select": {messageFields}, "$top": {"10"},
	}, "messages"), func(x *message) (bool, error) {
		switch ours := !x.Headers.some; {
		case x.Draft:
		case ours:
			found = x
			return true, nil
		case found == nil:
			found = x // a copy that came back over the network, as long as there is no other
		}
		return false, nil
	})
	if err != nil {
		return provider.Sent{}, err
	}
	if found != nil {
		return found.sent(), nil
	}
	if m.p.o.SendAtOnce || !m.cred.granted(ScopeReadWrite) {
		return m.findSent(ctx, marker, since)
	}
	return provider.Sent{}, notFound()
}

func notFound() error {
	return fmt.Errorf("outlook find: no sent mail has the marker: %w", provider.ErrGone)
}

func (x *message) sent() provider.Sent {
	return provider.Sent{ID: provider.RemoteID(x.ID), Thread: provider.ThreadID(x.Conversation), MessageID: inner(x.MessageID)}
}

// findSent looks through everything in Sent Items since, newest first. Graph lists no header fields
// of sent mail: each is opened.
func (m *mailbox) findSent(ctx context.Context, marker string, since time.Time) (provider.Sent, error) {
	q := url.Values{"$orderby": {"receivedDateTime desc"}, "$select": {messageFields}, "$top": {"50"}}
	if !since.IsZero() {
		q.Set("$filter", span{from: since.Add(-findBefore).Unix()}.filter())
	}
	looked := 0
	var found *message
	err := m.each(ctx, m.address(q, "mailFolders", "sentitems", "messages"), func(x *message) (bool, error) {
		if looked++; looked > findMost {
			return true, fmt.Errorf("outlook find: more than %d mails were sent since", findMost)
		}
		ours, err := m.marked(ctx, x, marker)
		if ours {
			found = x
		}
		return ours, err
	})
	if err != nil {
		return provider.Sent{}, err
	}
	if found == nil {
		return provider.Sent{}, notFound()
	}
	return found.sent(), nil
}

// each passes the messages of a list to take, until that says that it is done. A page may be empty
// and still not be the last one.
func (m *mailbox) each(ctx context.Context, address string, take func(*message) (done bool, err error)) error {
	for address != "" {
		p, err := get[page[message]](ctx, m, gate.Interactive, opList, address)
		if err != nil {
			return err
		}
		for i := range p.Value {
			if done, err := take(&p.Value[i]); done || err != nil {
				return err
			}
		}
		if p.Next == address {
			return noLink(opList)
		}
		address = p.Next
	}
	return nil
}

// marked says whether a message has the marker in its header.
func (m *mailbox) marked(ctx context.Context, x *message, marker string) (bool, error) {
	if slices.ContainsFunc(x.Headers.kept, func(f provider.Field) bool {
		return strings.EqualFold(f.Name, provider.MarkerHeader) && strings.TrimSpace(f.Value) == marker
	}) {
		return true, nil
	}
	// In the import's lane: hundreds of these must not hold up a person.
	raw, err := m.open(ctx, gate.Bulk, provider.RemoteID(x.ID))
	if errors.Is(err, provider.ErrGone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	h, err := rfc822.ReadHeader(strings.NewReader(string(raw)), rfc822.Limits{})
	return strings.TrimSpace(h.Get(provider.MarkerHeader)) == marker, err
}
