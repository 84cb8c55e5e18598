package providertest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// promises are mailboxes that break one promise each, with the check that must notice.
var promises = []struct {
	check, broken string
	wreck         func(w *world, b *broken)
}{
	{"Account/SameEachTime", "changes its account id", func(w *world, b *broken) {
		n := w.opens
		b.account = func(context.Context) (provider.Account, error) {
			return provider.Account{ID: fmt.Sprint(n)}, nil
		}
	}},
	{"Changes/ResumesAfterEveryBatch", "starts over whatever the cursor", func(_ *world, b *broken) {
		b.changes = func(ctx context.Context, _ provider.Cursor, w provider.Walk) stream {
			return b.full.Changes(ctx, "", w)
		}
	}},
	{"Changes/ResumesAfterEveryBatch", "has cursors behind the next batch", skipABatch},
	{"Changes/NothingLostDuringWalk", "begins its log after the walk", func(_ *world, b *broken) {
		b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
			if from != "" {
				return b.full.Changes(ctx, from, w)
			}
			return func(yield func(provider.Batch, error) bool) {
				last := provider.Batch{}
				for batch, err := range b.full.Changes(ctx, from, w) {
					if last = batch; batch.Walking && !yield(batch, err) {
						return
					}
				}
				last.Put = nil
				yield(last, nil)
			}
		}
	}},
	{"Changes/RemovedDuringWalk", "never tells what was removed", neverRemoved},
	{"Changes/BreakReleases", "stays busy after a loop was left", func(_ *world, b *broken) {
		busy := false
		b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
			return func(yield func(provider.Batch, error) bool) {
				if busy {
					yield(provider.Batch{}, errBroken)
					return
				}
				busy = true
				for batch, err := range b.full.Changes(ctx, from, w) {
					if !yield(batch, err) {
						return
					}
				}
				busy = false
			}
		}
	}},
	{"Changes/BreakReleases", "goes on after a loop was left", func(_ *world, b *broken) {
		b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
			return func(yield func(provider.Batch, error) bool) {
				for batch, err := range b.full.Changes(ctx, from, w) {
					yield(batch, err)
				}
			}
		}
	}},
	{"Changes/CancelledContext", "does not look at the context", func(_ *world, b *broken) {
		b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
			return b.full.Changes(context.WithoutCancel(ctx), from, w)
		}
	}},
	{"Changes/CancelledContext", "opens with a cancelled context", func(_ *world, b *broken) {
		b.open = func(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
			return b.full.Open(context.WithoutCancel(ctx), id)
		}
	}},
	{"Changes/Concurrent", "serves one caller ever", func(_ *world, b *broken) {
		turns := make(chan struct{}, 3)
		b.open = func(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
			select {
			case turns <- struct{}{}:
				return b.full.Open(ctx, id)
			default:
				return nil, errBroken
			}
		}
	}},
	{"Changes/CursorExpired", "walks again without saying so", func(_ *world, b *broken) {
		b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
			return func(yield func(provider.Batch, error) bool) {
				for batch, err := range b.full.Changes(ctx, from, w) {
					if errors.Is(err, provider.ErrCursorExpired) {
						b.full.Changes(ctx, "", w)(yield)
						return
					}
					if !yield(batch, err) {
						return
					}
				}
			}
		}
	}},
	{"Changes/NewestFirst", "walks oldest first", func(_ *world, b *broken) {
		edit(b, func(batch *provider.Batch) { slices.Reverse(batch.Put) })
	}},
	{"Changes/NewestFirst", "does not say that it walks", func(_ *world, b *broken) {
		edit(b, func(batch *provider.Batch) { batch.Walking = false })
	}},
	{"Changes/SinceUntil", "leaves out what was received at Since", func(_ *world, b *broken) {
		shifted(b, time.Second, 0)
	}},
	{"Changes/SinceUntil", "leaves out what was received at Until", func(_ *world, b *broken) {
		shifted(b, 0, -time.Second)
	}},
	{"Changes/SinceUntil", "has no bounds", func(_ *world, b *broken) {
		shifted(b, -10*365*24*time.Hour, 10*365*24*time.Hour)
	}},
	{"Changes/OnlyEndsWithTheWalk", "goes on after a walk with Only", func(_ *world, b *broken) {
		b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
			w.Only = false
			return b.full.Changes(ctx, from, w)
		}
	}},
	{"Changes/NarrowedNeverHides", "searches From alone", func(_ *world, b *broken) {
		narrowed(b, func(h provider.Header) bool { return concerns(h.From) || reports(h) })
	}},
	{"Changes/NarrowedNeverHidesReports", "narrows reports away", func(_ *world, b *broken) {
		narrowed(b, func(h provider.Header) bool { return concerns(h.From, h.To, h.Cc) })
	}},
	{"Count/About", "always counts one", func(_ *world, b *broken) {
		b.count = func(context.Context, provider.Walk) (int, error) { return 1, nil }
	}},
	{"Changes/LiveAfterWalk", "yields nothing after the walk", func(_ *world, b *broken) {
		edit(b, func(batch *provider.Batch) {
			if !batch.Walking {
				batch.Put = nil
			}
		})
	}},
	{"Changes/LiveAfterWalk", "walks for ever", func(_ *world, b *broken) {
		edit(b, func(batch *provider.Batch) { batch.Walking = true })
	}},
	{"Changes/LiveAfterEmptyWalk", "narrows live mail to the walk before", func(_ *world, b *broken) {
		edit(b, func(batch *provider.Batch) { batch.Put = nil })
	}},
	{"Changes/Moved", "tells a move to the trash as a removal", func(_ *world, b *broken) {
		edit(b, func(batch *provider.Batch) {
			batch.Put = slices.DeleteFunc(batch.Put, func(h provider.Header) bool {
				if h.Folder == provider.FolderTrash {
					batch.Removed = append(batch.Removed, h.ID)
				}
				return h.Folder == provider.FolderTrash
			})
		})
	}},
	{"Changes/MarkedRead", "never tells what was read", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) { h.Unread = true })
	}},
	{"Changes/Removed", "never tells what was removed", neverRemoved},
	{"Changes/Removed", "tells too much as removed", func(_ *world, b *broken) {
		edit(b, func(batch *provider.Batch) {
			if len(batch.Removed) > 0 {
				batch.Removed = []provider.RemoteID{"m1", "m2", "m3"}
			}
		})
	}},
	{"Errors/Auth", "has nothing new without a grant", func(_ *world, b *broken) {
		quiet(b, provider.ErrAuth)
	}},
	{"Errors/ThrottledLosesNothing", "takes a refusal for the end", func(_ *world, b *broken) {
		quiet(b, provider.ErrRetry)
	}},
	{"Errors/ThrottledLosesNothing", "fails when refused", func(_ *world, b *broken) {
		b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
			return func(yield func(provider.Batch, error) bool) {
				for batch, err := range b.full.Changes(ctx, from, w) {
					if err != nil {
						err = errBroken
					}
					if !yield(batch, err) {
						return
					}
				}
			}
		}
	}},
	{"Errors/NoAddressInText", "names the owner", func(w *world, b *broken) {
		b.open = func(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
			r, err := b.full.Open(ctx, id)
			if err != nil {
				err = fmt.Errorf("mailbox of %s: %w", w.a.Address(), err)
			}
			return r, err
		}
	}},
	{"Header/Facts", "takes the Date field for the received time", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) { h.Received = h.Received.Add(time.Second) })
	}},
	{"Header/Facts", "folds the Message-ID", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) { h.MessageID = strings.ToLower(h.MessageID) })
	}},
	{"Header/Facts", "has local times", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) { h.Received = h.Received.In(time.FixedZone("", 3600)) })
	}},
	{"Header/Facts", "forgets the fields", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) { h.Fields = nil })
	}},
	{"Header/Facts", "splits names at commas", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) { h.From = append([]mail.Address{{Address: "Dunn"}}, h.From...) })
	}},
	{"Header/Placed", "takes drafts for mail", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) { h.Folder = provider.FolderMail })
	}},
	{"Header/Placed", "does not mark what was sent", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) { h.Sent = provider.MarkNotSent })
	}},
	{"Header/ThreadNeverEmpty", "has no thread for a single message", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) {
			if h.MessageID == "" {
				h.Thread = ""
			}
		})
	}},
	{"Header/Threads", "puts every message into a thread of its own", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) { h.Thread = provider.ThreadID(h.ID) })
	}},
	{"Header/Threads", "threads by subject", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) { h.Thread = "subject" })
	}},
	{"Header/RawIsWhatOpenGives", "downloads for a preview", func(_ *world, b *broken) {
		b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
			w.Bodies = provider.BodiesWith
			return b.full.Changes(ctx, from, w)
		}
	}},
	{"Header/RawIsWhatOpenGives", "cuts the raw message", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) { h.Raw = h.Raw[:len(h.Raw)/2] })
	}},
	{"Open/RawAsDelivered", "does not undo the quoting of an mbox", func(_ *world, b *broken) {
		rewritten(b, func(raw []byte) []byte {
			return bytes.ReplaceAll(raw, []byte("\nFrom "), []byte("\n>From "))
		})
	}},
	{"Open/RawAsDelivered", "makes everything valid UTF-8", func(_ *world, b *broken) {
		rewritten(b, func(raw []byte) []byte { return bytes.ToValidUTF8(raw, []byte("?")) })
	}},
	{"Open/RawAsDelivered", "keeps 64 kB", func(_ *world, b *broken) {
		rewritten(b, func(raw []byte) []byte { return raw[:min(len(raw), 64<<10)] })
	}},
	{"Open/Again", "opens each message once", func(_ *world, b *broken) {
		done := map[provider.RemoteID]bool{}
		b.open = func(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
			if done[id] {
				return nil, errBroken
			}
			done[id] = true
			return b.full.Open(ctx, id)
		}
	}},
	{"Open/Gone", "asks to try again for what is gone", func(_ *world, b *broken) {
		b.open = func(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
			r, err := b.full.Open(ctx, id)
			if errors.Is(err, provider.ErrGone) {
				err = &provider.RetryError{}
			}
			return r, err
		}
	}},
	{"Open/SaysWhatTheOriginalSays", "builds messages without their references", func(_ *world, b *broken) {
		b.origin = b.full.Open
		rewritten(b, func(raw []byte) []byte {
			return bytes.Replace(raw, []byte("References:"), []byte(provider.BuiltHeader+":"), 1)
		})
	}},
	{"Open/SaysWhatTheOriginalSays", "loses attachments", func(_ *world, b *broken) {
		b.origin = b.full.Open
		rewritten(b, func(raw []byte) []byte {
			raw = bytes.Replace(raw, []byte("Subject:"), []byte(provider.BuiltHeader+": 1\r\nSubject:"), 1)
			return bytes.Replace(raw, []byte("%PDF\r\n"), nil, 1)
		})
	}},
	{"Open/SaysWhatTheOriginalSays", "does not tell what is built", func(_ *world, b *broken) {
		b.origin = b.full.Open
		rewritten(b, func(raw []byte) []byte {
			return bytes.Replace(raw, []byte("one two\r\n"), []byte("one  two\r\n"), 1)
		})
	}},
	{"OpenMany/SameAsOpen", "leaves out what is gone", func(_ *world, b *broken) {
		b.many = func(ctx context.Context, ids []provider.RemoteID, each taker) error {
			return b.full.OpenMany(ctx, ids, func(id provider.RemoteID, r io.Reader, err error) error {
				if err != nil {
					return nil
				}
				return each(id, r, err)
			})
		}
	}},
	{"OpenMany/ErrorEnds", "does not stop at an error", func(_ *world, b *broken) {
		b.many = func(ctx context.Context, ids []provider.RemoteID, each taker) error {
			var first error
			err := b.full.OpenMany(ctx, ids, func(id provider.RemoteID, r io.Reader, err error) error {
				first = errors.Join(first, each(id, r, err))
				return nil
			})
			return errors.Join(err, first)
		}
	}},
	{"Send/New", "sends twice", func(_ *world, b *broken) {
		b.send = func(ctx context.Context, out provider.Outgoing) (provider.Sent, error) {
			if _, err := b.full.Send(ctx, out); err != nil {
				return provider.Sent{}, err
			}
			return b.full.Send(ctx, out)
		}
	}},
	{"Send/New", "invents an id", func(_ *world, b *broken) {
		b.send = func(ctx context.Context, out provider.Outgoing) (provider.Sent, error) {
			sent, err := b.full.Send(ctx, out)
			sent.ID = "invented"
			return sent, err
		}
	}},
	{"Send/InThread", "begins a new thread each time", func(_ *world, b *broken) {
		each(b, func(h *provider.Header) {
			if h.Sent == provider.MarkSent {
				h.Thread = "other"
			}
		})
	}},
	{"Send/MarkerFound", "finds nothing", findsNothing},
	{"Send/MarkerNotFound", "finds what was never sent", func(_ *world, b *broken) {
		b.find = func(context.Context, string, provider.ThreadID, time.Time) (provider.Sent, error) {
			return provider.Sent{ID: "m1"}, nil
		}
	}},
	{"Send/AmbiguousIsFound", "finds nothing", findsNothing},
	{"Send/AmbiguousIsFound", "takes a lost answer for a refusal", func(_ *world, b *broken) {
		b.send = func(ctx context.Context, out provider.Outgoing) (provider.Sent, error) {
			sent, err := b.full.Send(ctx, out)
			if err != nil {
				err = &provider.RetryError{}
			}
			return sent, err
		}
	}},
	{"Wait/ReturnsAfterArrival", "fails", func(_ *world, b *broken) {
		b.wait = func(context.Context) error { return errBroken }
	}},
	{"Wait/EndsWithContext", "does not say that its context ended", func(_ *world, b *broken) {
		b.wait = func(context.Context) error { return nil }
	}},
	{"Subscribe/RenewAndEnd", "shortens what it renews", func(_ *world, b *broken) {
		b.renew = func(ctx context.Context, s provider.Subscription) (provider.Subscription, error) {
			s.Expires = s.Expires.Add(-time.Hour)
			return s, nil
		}
	}},
}

func neverRemoved(_ *world, b *broken) {
	edit(b, func(batch *provider.Batch) { batch.Removed = nil })
}

func findsNothing(_ *world, b *broken) {
	b.find = func(context.Context, string, provider.ThreadID, time.Time) (provider.Sent, error) {
		return provider.Sent{}, provider.ErrGone
	}
}

// skipABatch hands out, with every batch, the cursor of the batch after it.
func skipABatch(_ *world, b *broken) {
	b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
		return func(yield func(provider.Batch, error) bool) {
			for batch, err := range b.full.Changes(ctx, from, w) {
				for after, failed := range b.full.Changes(ctx, batch.Next, w) {
					if failed == nil {
						batch.Next = after.Next
					}
					break
				}
				if !yield(batch, err) {
					return
				}
			}
		}
	}
}

// shifted moves the bounds of every walk.
func shifted(b *broken, since, until time.Duration) {
	b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
		w.Since, w.Until = w.Since.Add(since), w.Until.Add(until)
		return b.full.Changes(ctx, from, w)
	}
}

// narrowed lists only what keep takes, of walks with an interest.
func narrowed(b *broken, keep func(provider.Header) bool) {
	b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
		return func(yield func(provider.Batch, error) bool) {
			for batch, err := range b.full.Changes(ctx, from, w) {
				batch.Put = slices.DeleteFunc(batch.Put, func(h provider.Header) bool { return !keep(h) })
				if !yield(batch, err) {
					return
				}
			}
		}
	}
}

func concerns(lists ...[]mail.Address) bool {
	for _, a := range slices.Concat(lists...) {
		domain := strings.ToLower(a.Address[strings.LastIndexByte(a.Address, '@')+1:])
		if domain == "client.example" || domain == "person.example" ||
			strings.HasSuffix(domain, ".wide.example") {
			return true
		}
	}
	return false
}

func reports(h provider.Header) bool { return strings.HasPrefix(h.From[0].Address, "mailer-daemon@") }

// quiet swallows an error of Changes.
func quiet(b *broken, swallow error) {
	b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
		return func(yield func(provider.Batch, error) bool) {
			for batch, err := range b.full.Changes(ctx, from, w) {
				if errors.Is(err, swallow) || !yield(batch, err) {
					return
				}
			}
		}
	}
}

// rewritten passes every raw message through f.
func rewritten(b *broken, f func([]byte) []byte) {
	b.open = func(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
		r, err := b.full.Open(ctx, id)
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(r)
		return io.NopCloser(bytes.NewReader(f(raw))), err
	}
}
