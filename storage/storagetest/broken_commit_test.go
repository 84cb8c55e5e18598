package storagetest_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage/memory"
)

var brokenCommits = []broken[inbox.Store]{
	{"Commit/StateRoundTrip", "loses the backfill", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) { imp.State.Backfill = nil }}
	}},
	{"Commit/UnknownInbox", "makes the inbox", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			_, _ = s.CreateInbox(background, inbox.Inbox{ID: imp.State.Inbox})
		}}
	}},
	{"Commit/StaleState", "last write wins", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			imp.State.Version = versionOf(s, imp.State.Inbox)
		}}
	}},
	{"Commit/AllOrNothing", "stores what it can", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, committed: func(imp inbox.Import, err error) {
			if err != nil {
				imp.Put = nil
				_, _ = s.Commit(background, imp)
			}
		}}
	}},
	{"Commit/PutTwiceRefused", "skips what is stored", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			put := map[provider.RemoteID]bool{}
			imp.Put = slices.DeleteFunc(imp.Put, func(p inbox.Put) bool {
				r := p.Message.Remote
				known, _ := s.Seen(background, imp.State.Inbox, []provider.RemoteID{r})
				again := put[r] || len(known) > 0
				put[r] = true
				return again
			})
		}}
	}},
	{"Commit/PutTwiceRefused", "remote ids of all inboxes are one", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			known, _ := s.Seen(background, "in-1", []provider.RemoteID{"remote m-1"})
			if imp.State.Inbox == "in-2" && len(known) > 0 {
				imp.Put = append(imp.Put, imp.Put...)
			}
		}}
	}},
	{"Commit/RemoteIDTwice", "keeps the first", firstStays},
	{"Commit/RemoteIDTwice", "skips the second put", secondPutSkipped},
	{"Commit/ChangedTwice", "makes the last change alone", lastChangeAlone},
	{"Commit/ChangedTwice", "makes them in another order", changesByID},
	{"Commit/RefusedLate", "markers stay", markersStay},
	{"Commit/RefusedLate", "counts stay", tallyStays},
	{"Inboxes/RefusedLate", "readers stay", readersStay},
	{"Clients/RefusedLate", "one by one", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, save: oneByOne(s)}
	}},
	{"Messages/LongIDs", "cuts what it indexes", markersCut},
	{"Commit/SeqRises", "by received time", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			slices.SortFunc(imp.Put, func(a, b inbox.Put) int {
				return a.Message.Received.Compare(b.Message.Received)
			})
		}}
	}},
	{"Commit/ChangesTold", "one kind for all", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, logOut: altered(func(c *inbox.Change) {
			if c.Kind == inbox.ChangeHidden {
				c.Kind = inbox.ChangeChanged
			}
		})}
	}},
	{"Commit/ChangesTold", "forgets a field", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			for i := range imp.Changed {
				imp.Changed[i].Folder = nil
			}
		}}
	}},
	{"Commit/EraseForgets", "hides", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			yes := true
			for _, id := range imp.Erase {
				imp.Changed = append(imp.Changed, inbox.MessageChange{ID: id, Removed: &yes})
			}
			imp.Erase = nil
		}}
	}},
	{"Commit/EraseForgets", "tells nobody", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, logOut: altered(func(c *inbox.Change) {
			if c.Kind == inbox.ChangePurged {
				c.Kind = inbox.ChangeChanged
			}
		})}
	}},
	{"Commit/ThreadsOnlyLower", "keeps the last time", func(s *memory.Store) inbox.Store {
		last := map[inbox.ThreadID]inbox.Thread{}
		return &bent{Store: s,
			commit: func(imp *inbox.Import) {
				for _, th := range imp.Threads {
					last[th.ID] = th
				}
			},
			threads: func(known map[inbox.ThreadID]inbox.Thread) {
				for id := range known {
					known[id] = last[id]
				}
			}}
	}},
	{"Commit/RunReplaced", "adds every run", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			if imp.Run != nil {
				run := *imp.Run
				run.ID += fmt.Sprint(imp.State.Version)
				imp.Run = &run
			}
		}}
	}},
	{"Commit/QueueLifecycle", "forgets to dequeue", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) { imp.Dequeue = nil }}
	}},
	{"Commit/QueueLifecycle", "what is gone stays queued", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) { imp.Gone = nil }}
	}},
	{"Commit/QueueLifecycle", "forgets attempts", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			for i := range imp.Queue {
				imp.Queue[i].Attempts = 0
			}
		}}
	}},
	{"Commit/QueueCounts", "believes the caller", func(s *memory.Store) inbox.Store {
		var given inbox.SyncState
		return &bent{Store: s,
			commit: func(imp *inbox.Import) { given = imp.State },
			state:  func(st *inbox.SyncState) { st.Queued = given.Queued }}
	}},
	{"Commit/PutRemovesItem", "still counts it as rejected", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			for _, p := range imp.Put {
				r := p.Message.Remote
				known, _ := s.Seen(background, imp.State.Inbox, []provider.RemoteID{r})
				if known[r].State == inbox.SeenRejected {
					imp.Reject = append(imp.Reject, inbox.Rejected{Remote: r, Reason: known[r].Reason})
				}
			}
		}}
	}},
	{"Commit/ReopenMovesRejected", "forgets to", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) { imp.Reopen = nil }}
	}},
	{"Commit/ReopenMovesRejected", "forgets since", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			for i := range imp.Reopen {
				imp.Reopen[i].Since = imp.Reopen[i].Since.AddDate(-1, 0, 0)
			}
		}}
	}},
	{"Commit/ReopenMovesRejected", "looks before it rejects", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			if len(imp.Reopen) > 0 {
				_, _ = s.Commit(background, inbox.Import{State: imp.State, Reopen: imp.Reopen})
				imp.State.Version++
				imp.Reopen = nil
			}
		}}
	}},
	{"Commit/ReopenMovesRejected", "due later", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, committed: func(imp inbox.Import, _ error) {
			var again []inbox.Queued
			for q := range s.Queue(background, inbox.QueueQuery{Inbox: "in-1"}) {
				q.NotBefore = imp.State.LastSync.AddDate(0, 0, 1)
				again = append(again, q)
			}
			imp.State.Version++
			_, _ = s.Commit(background, inbox.Import{State: imp.State, Queue: again})
		}}
	}},
	{"Seen/EveryFate", "forgets what is gone", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, seen: func(known map[provider.RemoteID]inbox.Seen) {
			for r, seen := range known {
				if seen.State == inbox.SeenGone {
					delete(known, r)
				}
			}
		}}
	}},
	{"Seen/EveryFate", "forgets the rule version", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, seen: func(known map[provider.RemoteID]inbox.Seen) {
			for r, seen := range known {
				seen.Rules = 0
				known[r] = seen
			}
		}}
	}},
	{"Queue/RoundTrip", "loses the folder", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			for i := range imp.Queue {
				imp.Queue[i].Folder = ""
			}
		}}
	}},
	{"Queue/ByNotBefore", "by remote id", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, queueOut: resorted(func(a, b inbox.Queued) int {
			return cmp.Compare(a.Remote, b.Remote)
		})}
	}},
	{"Queue/ByNotBefore", "by the second", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, queueOut: resorted(func(a, b inbox.Queued) int {
			return cmp.Or(cmp.Compare(a.NotBefore.Unix(), b.NotBefore.Unix()),
				-cmp.Compare(a.Remote, b.Remote))
		})}
	}},
	{"Rejections/ByReason", "counts each rejection", func(s *memory.Store) inbox.Store {
		return &lumped{s}
	}},
	{"Runs/NewestFirst", "oldest first", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, runsOut: resorted(func(a, b inbox.Run) int {
			return a.Started.Compare(b.Started)
		})}
	}},
}

// lumped counts all rejections under one reason.
type lumped struct{ *memory.Store }

func (l *lumped) Rejections(ctx context.Context, id inbox.ID) (map[filter.Reason]int, error) {
	by, err := l.Store.Rejections(ctx, id)
	all := map[filter.Reason]int{}
	for _, n := range by {
		all[filter.Excluded] += n
	}
	return all, err
}

var brokenMessages = []broken[inbox.Store]{
	{"Messages/RoundTrip", "loses Bcc", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			for i := range imp.Put {
				imp.Put[i].Message.Bcc = nil
			}
		}}
	}},
	{"Messages/RoundTrip", "loses a part", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			for i := range imp.Put {
				imp.Put[i].Content.Parts = imp.Put[i].Content.Parts[:min(1, len(imp.Put[i].Content.Parts))]
			}
		}}
	}},
	{"Messages/NotFound", "nothing is no error", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, content: func(
			_ inbox.MessageID, c inbox.Content, _ error,
		) (inbox.Content, error) {
			return c, nil
		}}
	}},
	{"Messages/KeysetPages", "goes on by time alone", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, messages: func(q *inbox.MessageQuery) {
			if q.After != nil {
				q.After = &inbox.MessageKey{Received: q.After.Received}
			}
		}}
	}},
	{"Messages/KeysetPages", "equal times in any order", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, messagesOut: resorted(func(a, b inbox.Message) int {
			return cmp.Or(b.Received.Compare(a.Received), cmp.Compare(a.ID, b.ID))
		})}
	}},
	{"Messages/HiddenKeptOut", "shows private mail", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			for i := range imp.Put {
				imp.Put[i].Message.Private = false
			}
		}}
	}},
	{"Messages/HiddenKeptOut", "shows copies", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			for i := range imp.Put {
				imp.Put[i].Message.CopyOf = ""
			}
		}}
	}},
	{"Messages/QueryFields", "forgets the customer", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, messages: func(q *inbox.MessageQuery) { q.Customer = "" }}
	}},
	{"Messages/QueryFields", "takes the limit first", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, messages: func(q *inbox.MessageQuery) {
			if q.Limit > 0 {
				q.Limit--
			}
		}}
	}},
	{"Messages/Tally", "counts hidden mail", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, tally: func(id inbox.ID, tally *inbox.Tally) {
			tally.Messages = 0
			for range s.Messages(background, inbox.MessageQuery{Inbox: id, Hidden: true}) {
				tally.Messages++
			}
		}}
	}},
	{"Log/ImportOrder", "by time", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, logOut: resorted(func(a, b inbox.Change) int {
			return cmp.Or(a.At.Compare(b.At), strings.Compare(string(a.Message), string(b.Message)))
		})}
	}},
}
