package gmail

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"

	api "google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

const historyFields = "history(id,messagesAdded/message(id,threadId,labelIds)," +
	"messagesDeleted/message(id,threadId,labelIds),labelsAdded(message(id,threadId),labelIds)," +
	"labelsRemoved(message(id,threadId),labelIds)),nextPageToken,historyId"

// history asks for one page of what changed after an id. An id that is too old, or was never one of
// this account, is a provider.ErrCursorExpired. Gmail answers 404 to that and for an account that is
// gone; the profile tells them apart.
func (m *mailbox) history(
	ctx context.Context, after uint64, token string, size int64,
) (*api.ListHistoryResponse, error) {
	var resp *api.ListHistoryResponse
	err := m.call(ctx, gate.Bulk, opHistory, m.p.o.Quota.Prices.History, func(ctx context.Context) (err error) {
		c := m.api.Users.History.List(me).StartHistoryId(after).MaxResults(size).
			HistoryTypes("messageAdded", "messageDeleted", "labelAdded", "labelRemoved").
			Fields(historyFields).Context(ctx)
		if token != "" {
			c.PageToken(token)
		}
		resp, err = c.Do()
		return unless(func() bool { return soundHistory(resp, token) }, err)
	})
	if errors.Is(err, provider.ErrGone) || token == "" && failure.Status(err) == http.StatusBadRequest &&
		!errors.Is(err, provider.ErrAuth) {
		if _, err := m.historyID(ctx); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("gmail %s: %w: %d", opHistory, provider.ErrCursorExpired, failure.Status(err))
	}
	return resp, err
}

// reader reads the history from a place to its end.
type reader struct {
	m     *mailbox
	at    place
	whole bool // new messages come with their raw bytes
	send  func(provider.Batch) error

	done uint64 // the last record that is dealt with
}

// run yields a batch for every Options.PageSize messages that changed, and none when nothing did.
//
// The cursor of a batch is the id of the last record that is whole in it: history.list goes on right
// behind a record's id, so that no page token is needed in another process.
func (r *reader) run(ctx context.Context) error {
	start, token := r.at.History, ""
	r.done = start
	for {
		resp, err := r.m.history(ctx, start, token, pageSize)
		if token != "" && refusedToken(err) && r.done > start {
			start, token = r.done, ""
			continue
		}
		if err != nil {
			return err
		}
		end := r.done
		if n := len(resp.History); n > 0 {
			end = max(end, resp.History[n-1].Id)
		}
		if resp.NextPageToken == "" {
			end = max(end, resp.HistoryId)
		}
		if err := r.page(ctx, resp.History, end); err != nil {
			return err
		}
		if token = resp.NextPageToken; token == "" {
			break
		}
	}
	if r.done == r.at.History {
		return nil
	}
	// What changed is of no interest; the cursor moves on all the same, or it would grow too old.
	return r.batch(ctx, nil, r.done)
}

// page yields what one page of the history comes to; end is the place behind it.
func (r *reader) page(ctx context.Context, records []*api.History, end uint64) error {
	changes, upTo := fold(records)
	size := r.m.p.o.PageSize
	for from := 0; from < len(changes); {
		var some []*change
		to := from
		for ; to < len(changes); to++ {
			if !changes[to].matters() {
				continue
			}
			if len(some) == size {
				break
			}
			some = append(some, changes[to])
		}
		next := end
		if to < len(changes) {
			next = r.done
			if i := sort.SearchInts(upTo, to+1); i > 0 {
				next = max(next, records[i-1].Id)
			}
		}
		if len(some) > 0 {
			if err := r.batch(ctx, some, next); err != nil {
				return err
			}
		}
		r.done, from = next, to
	}
	r.done = end
	return nil
}

// batch gets changed messages as they are now and yields them.
func (r *reader) batch(ctx context.Context, changes []*change, next uint64) error {
	var b provider.Batch
	var ask []*change
	var want []wanted
	for _, c := range changes {
		if c.removed {
			b.Removed = append(b.Removed, provider.RemoteID(c.id))
			continue
		}
		ask = append(ask, c)
		whole := r.whole && (c.arrived || c.back)
		want = append(want, wanted{id: c.id, thread: c.thread, whole: whole, late: c.arrived})
	}
	got, err := r.m.fetch(ctx, want)
	if err != nil {
		return err
	}
	for i, f := range got {
		switch folder := f.header.Folder; {
		case !f.there:
			b.Removed = append(b.Removed, provider.RemoteID(ask[i].id))
		case (folder == provider.FolderDraft || folder == provider.FolderChat) && !ask[i].moved:
		default:
			b.Put = append(b.Put, f.header)
		}
	}
	r.at.History = next
	b.Next = r.at.cursor()
	return r.send(b)
}

// change is all that happened to one message on a page of the history.
type change struct {
	id, thread string

	arrived bool // came as mail
	aside   bool // came as a draft, a chat, spam or trash: nothing the library takes
	moved   bool // to another folder, or was sent
	back    bool // out of one that is left aside: it may never have been seen
	read    bool // or unread
	removed bool // for good, which nothing follows
}

// matters says whether the change has to be told. Every autosave of a draft adds a message and
// deletes the one before; most spam comes and goes unseen.
func (c *change) matters() bool {
	switch {
	case c.removed:
		return !c.aside || c.moved
	case c.aside:
		return c.moved
	default:
		return c.arrived || c.moved || c.read
	}
}

// fold turns the records of a page into changes, each message once and in the order in which they
// are first named. upTo counts, for each record, the changes named until its end.
//
// Labels in a record's message are as they were when it was written; labels of a label change are
// those that were added or removed.
func fold(records []*api.History) (changes []*change, upTo []int) {
	byID := make(map[string]*change)
	of := func(msg *api.Message) *change {
		if msg == nil || msg.Id == "" {
			return new(change) // of nothing that could be asked for
		}
		c := byID[msg.Id]
		if c == nil {
			c = &change{id: msg.Id, thread: msg.ThreadId}
			byID[msg.Id] = c
			changes = append(changes, c)
		}
		return c
	}
	for _, r := range records {
		for _, it := range r.MessagesAdded {
			c := of(it.Message)
			c.aside = it.Message != nil && aside(it.Message.LabelIds)
			c.arrived = !c.aside
		}
		for _, it := range r.LabelsAdded {
			of(it.Message).relabel(it.LabelIds, false)
		}
		for _, it := range r.LabelsRemoved {
			of(it.Message).relabel(it.LabelIds, true)
		}
		for _, it := range r.MessagesDeleted {
			c := of(it.Message)
			c.removed = true
			if it.Message != nil && (slices.Contains(it.Message.LabelIds, labelDraft) ||
				slices.Contains(it.Message.LabelIds, labelChat)) {
				c.aside = true
			}
		}
		upTo = append(upTo, len(changes))
	}
	return changes, upTo
}

func (c *change) relabel(labels []string, removed bool) {
	for _, label := range labels {
		switch label {
		case labelUnread:
			c.read = true
		case labelSent:
			c.moved = true
		default:
			if aside([]string{label}) {
				c.moved, c.back = true, c.back || removed
			}
		}
	}
}
