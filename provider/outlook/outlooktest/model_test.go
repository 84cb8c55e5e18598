package outlooktest_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

var modelFolders = []string{"inbox", "archive", "Clients"}

// follower applies delta rounds of all folders, as a client does that believes every record.
type follower struct {
	graph
	prefer string
	links  map[string]string
	state  map[string]map[string]bool // folder, id: read
}

func (f *follower) round() {
	for _, name := range modelFolders {
		link := f.links[name]
		if link == "" {
			link = "/me/mailFolders/" + f.a.Folder(name) + "/messages/delta" + query("$select", "isRead")
			f.state[name] = make(map[string]bool)
		}
		items, next, _ := f.pages(link, "Prefer", f.prefer)
		for _, m := range items {
			id := m["id"].(string)
			if m["@removed"] != nil {
				delete(f.state[name], id)
				continue
			}
			f.state[name][id] = m["isRead"].(bool)
		}
		f.links[name] = next
	}
}

// TestDeltaTellsEverything moves, reads and deletes at random between rounds: who applies the records
// has what the mailbox has.
func TestDeltaTellsEverything(t *testing.T) {
	t.Parallel()
	for _, prefer := range []string{"odata.maxpagesize=3", immutable + ", odata.maxpagesize=3"} {
		for seed := range uint64(12) {
			t.Run(fmt.Sprintf("%s seed %d", prefer[:5], seed), func(t *testing.T) {
				t.Parallel()
				g := open(t, outlooktest.Config{
					Seed: seed, Limits: outlooktest.Unlimited(),
					Delta: outlooktest.Delta{KeepReturns: true, DuplicateEvery: 4, EmptyPageEvery: 3},
				})
				g.a.AddFolder("msgfolderroot", "Clients")
				f := &follower{g, prefer, map[string]string{}, map[string]map[string]bool{}}
				dice := rand.New(rand.NewPCG(seed, 1))
				for range 12 {
					for range dice.IntN(9) {
						g.step(dice)
					}
					f.round()
				}
				want := make(map[string]map[string]bool)
				for _, name := range modelFolders {
					want[name] = make(map[string]bool)
				}
				for _, m := range g.a.Messages() {
					at := slices.IndexFunc(modelFolders, func(n string) bool {
						return m.Folder == n || m.Folder == g.a.Folder("Clients") && n == "Clients"
					})
					id := m.ID
					if prefer[0] == 'I' {
						id = m.ImmutableID
					}
					want[modelFolders[at]][id] = m.Read
				}
				require.Equal(t, want, f.state)
			})
		}
	}
}

// step does something in the mailbox.
func (g graph) step(dice *rand.Rand) {
	all := g.a.Messages()
	if len(all) == 0 || dice.IntN(4) == 0 {
		g.a.Deliver(hello(dice.Int()), outlooktest.Delivery{Received: day(1 + dice.IntN(20)), Folder: modelFolders[dice.IntN(3)]})
		return
	}
	id := all[dice.IntN(len(all))].ImmutableID
	switch dice.IntN(6) {
	case 0:
		g.a.Delete(id)
	case 1:
		g.a.MarkRead(id, dice.IntN(2) == 0)
	case 2:
		g.a.Flag(id, true)
	default:
		g.a.Move(id, modelFolders[dice.IntN(3)])
	}
}

// TestFourReadersReachTheCeiling reads 3,000 mails, a second for a page of 100, with four calls in
// flight in virtual time: what a client can reach without one refusal.
func TestFourReadersReachTheCeiling(t *testing.T) {
	t.Parallel()
	inBubble(t, outlooktest.Config{Latency: func(_ string, items int) time.Duration {
		return time.Duration(items) * 10 * time.Millisecond
	}}, func(t *testing.T, g graph) {
		g.fill(3000)
		begin := time.Now()
		next := make(chan int)
		var mu sync.Mutex
		seen := make(map[string]bool)
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				for at := range next {
					a := g.do("GET", "/me/messages"+query("$top", "100", "$skip", fmt.Sprint(at), "$select", "id"), "")
					mu.Lock()
					for _, id := range ids(a.items()) {
						seen[id] = true
					}
					mu.Unlock()
				}
			})
		}
		for at := 0; at < 3000; at += 100 {
			next <- at
		}
		close(next)
		wait.Wait()
		require.Len(t, slices.Collect(maps.Keys(seen)), 3000)
		require.Equal(t, 8*time.Second, time.Since(begin), "30 pages, four at a time")
		require.Zero(t, g.a.Usage().Refused())
	})
}

func TestMailToOneselfIsThereTwice(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.accepted(g.do("POST", "/me/sendMail", `{"message":{"subject":"Note","toRecipients":`+to(ann)+`}}`))
	all := g.a.Messages()
	require.Len(t, all, 2)
	require.Equal(t, all[0].MessageID, all[1].MessageID)
	require.Equal(t, all[0].ConversationID, all[1].ConversationID)
	require.ElementsMatch(t, []string{"inbox", "sentitems"}, []string{all[0].Folder, all[1].Folder})
}
