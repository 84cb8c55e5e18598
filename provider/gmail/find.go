package gmail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	api "google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

var _ provider.Finder = (*mailbox)(nil)

const (
	// findBefore is how much earlier than since is looked, for clocks that differ.
	findBefore = time.Minute
	// findMost is how many sent messages are looked at. Sends are looked for minutes later; who has
	// sent more since then is not told that there is none.
	findMost = 500
)

// Find looks for a sent mail by its marker: in its thread first, then in everything sent since,
// newest first, because a mail may have gone out without its thread. Gmail cannot search for a
// header field of ours.
func (m *mailbox) Find(ctx context.Context, marker string, thread provider.ThreadID, since time.Time) (provider.Sent, error) {
	if marker == "" {
		return provider.Sent{}, errors.New("gmail find: the marker is empty")
	}
	if thread != "" {
		sent, ok, err := m.findInThread(ctx, marker, thread)
		if ok || err != nil {
			return sent, err
		}
	}
	return m.findSent(ctx, marker, since)
}

func (m *mailbox) findInThread(ctx context.Context, marker string, thread provider.ThreadID) (provider.Sent, bool, error) {
	var got *api.Thread
	err := m.call(ctx, gate.Interactive, opThread, m.p.o.Quota.Prices.Threads, func(ctx context.Context) (err error) {
		got, err = m.api.Users.Threads.Get(me, string(thread)).Format("metadata").
			MetadataHeaders(provider.MarkerHeader, "Message-ID").
			Fields("messages(id,threadId,labelIds,payload/headers)").Context(ctx).Do()
		return unless(func() bool { return soundThread(got) }, err)
	})
	if err != nil {
		if threadRefused(err) {
			return provider.Sent{}, false, nil // not a thread of this mailbox
		}
		return provider.Sent{}, false, err
	}
	for _, msg := range slices.Backward(got.Messages) {
		if sent, ok := marked(msg, marker); ok {
			return sent, true, nil
		}
	}
	return provider.Sent{}, false, nil
}

// findSent looks through everything sent since.
func (m *mailbox) findSent(ctx context.Context, marker string, since time.Time) (provider.Sent, error) {
	q := "in:sent"
	if !since.IsZero() {
		q += fmt.Sprintf(" after:%d", since.Add(-findBefore).Unix())
	}
	looked := 0
	for page := ""; ; {
		var list *api.ListMessagesResponse
		err := m.call(ctx, gate.Interactive, opList, m.p.o.Quota.Prices.List, func(ctx context.Context) (err error) {
			list, err = m.api.Users.Messages.List(me).Q(q).MaxResults(100).PageToken(page).
				Fields("messages/id,nextPageToken").Context(ctx).Do()
			return unless(func() bool { return soundList(list, page) }, err)
		})
		if err != nil {
			return provider.Sent{}, m.unnamed(ctx, err)
		}
		for _, listed := range list.Messages {
			if looked++; looked > findMost {
				return provider.Sent{}, fmt.Errorf("gmail find: more than %d mails were sent since", findMost)
			}
			// In the import's lane: hundreds of these must not hold up a person.
			msg, err := m.metadata(ctx, gate.Bulk, listed.Id, provider.MarkerHeader, "Message-ID")
			if errors.Is(err, provider.ErrGone) {
				continue
			}
			if err != nil {
				return provider.Sent{}, err
			}
			if sent, ok := marked(msg, marker); ok {
				return sent, nil
			}
		}
		if page = list.NextPageToken; page == "" {
			return provider.Sent{}, fmt.Errorf("gmail find: no sent mail has the marker: %w", provider.ErrGone)
		}
	}
}

// marked says whether a message was sent with the marker.
func marked(msg *api.Message, marker string) (provider.Sent, bool) {
	if msg.Payload == nil || !slices.Contains(msg.LabelIds, labelSent) {
		return provider.Sent{}, false
	}
	ours := slices.ContainsFunc(msg.Payload.Headers, func(h *api.MessagePartHeader) bool {
		return strings.EqualFold(h.Name, provider.MarkerHeader) && strings.TrimSpace(h.Value) == marker
	})
	if !ours {
		return provider.Sent{}, false
	}
	h, _ := metadataHeader(msg)
	return provider.Sent{
		ID: provider.RemoteID(msg.Id), Thread: provider.ThreadID(msg.ThreadId), MessageID: h.MessageID,
	}, true
}
