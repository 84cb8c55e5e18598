package providertest

import (
	"time"

	"github.com/workinbox/workinbox/provider"
)

func walkChecks() []Check {
	return []Check{
		{"Changes/NewestFirst", nil, newestFirst},
		{"Changes/SinceUntil", nil, sinceUntil},
		{"Changes/OnlyEndsWithTheWalk", nil, onlyEndsWithTheWalk},
		{"Changes/NarrowedNeverHides", nil, narrowedNeverHides},
		{"Changes/NarrowedNeverHidesReports", nil, narrowedNeverHidesReports},
		{"Count/About", has[provider.Counter](), countAbout},
	}
}

func newestFirst(t T, h Harness) {
	var ids []provider.RemoteID
	for _, hours := range []int{3, 1, 7, 2, 9, 5, 8, 4, 6} {
		ids = append(ids, h.Deliver(t, letter{id: string(rune('a'+hours)) + "@elsewhere.example",
			received: base.Add(-time.Duration(hours) * time.Hour)}.mail()))
	}
	all := must(t, h.Open(t), "", provider.Walk{})
	all.all(t, ids, "the walk")
	last, n := time.Time{}, 0
	for _, b := range all.batches {
		for _, header := range b.Put {
			if !b.Walking {
				continue
			}
			if n++; n > 1 && header.Received.After(last) {
				t.Errorf("message %d of the walk was received %v, after the one before it (%v)", n,
					header.Received, last)
			}
			last = header.Received
		}
	}
	if n != len(ids) {
		t.Errorf("batches with Walking: got %d messages, want the %d of the first walk", n, len(ids))
	}
}

func sinceUntil(t T, h Harness) {
	since, until := base.AddDate(0, 0, -3), base.AddDate(0, 0, -1)
	within := []provider.RemoteID{
		h.Deliver(t, letter{id: "since@elsewhere.example", received: since}.mail()),
		h.Deliver(t, letter{id: "between@elsewhere.example", received: since.Add(time.Hour)}.mail()),
		h.Deliver(t, letter{id: "until@elsewhere.example", received: until}.mail()),
	}
	far := []provider.RemoteID{
		h.Deliver(t, letter{id: "before@elsewhere.example", received: since.AddDate(0, -3, 0)}.mail()),
		h.Deliver(t, letter{id: "after@elsewhere.example", received: until.AddDate(0, 3, 0)}.mail()),
	}
	all := must(t, h.Open(t), "", provider.Walk{Since: since, Until: until, Only: true})
	all.all(t, within, "received from Since to Until, both inclusive")
	for _, id := range far {
		if got, ok := all.put()[id]; ok {
			t.Errorf("a walk from %v to %v: got a message received %v, three months away",
				since, until, got.Received)
		}
	}
}

func onlyEndsWithTheWalk(t T, h Harness) {
	ids := deliver(t, h, 60)
	m := h.Open(t)
	w := provider.Walk{Only: true}
	var all told
	n := 0
	for b, err := range m.Changes(t.Context(), "", w) {
		if err != nil {
			t.Fatalf("Changes: got error %v, want none", err)
		}
		if n++; n == 1 {
			h.Deliver(t, letter{id: "late@elsewhere.example", received: base.Add(time.Hour)}.mail())
		}
		all.batches = append(all.batches, b)
	}
	all.all(t, ids, "a walk with Only")
	again := must(t, m, all.next(""), w)
	for _, b := range append(all.batches, again.batches...) {
		if !b.Walking && len(b.Put) > 0 {
			t.Errorf("a walk with Only: got %d messages after the walk, want none", len(b.Put))
		}
	}
}

// narrowedNeverHides checks every way a message can concern an address or a domain of interest.
func narrowedNeverHides(t T, h Harness) {
	interest := []string{"bob@person.example", "client.example", "*.wide.example"}
	letters := []struct {
		name string
		letter
	}{
		{"from the domain", letter{from: client}},
		{"from the domain in capitals", letter{from: "Carla <CARLA@CLIENT.EXAMPLE>"}},
		{"to the domain", letter{to: "someone@other.example, " + client}},
		{"cc the domain", letter{cc: client}},
		{"from the address", letter{from: "bob@person.example"}},
		{"from below the wildcard", letter{from: "x@eu.wide.example"}},
		{"far below the wildcard", letter{from: "x@a.b.wide.example"}},
	}
	var ids []provider.RemoteID
	for i, l := range letters {
		l.id = string(rune('a'+i)) + "@narrow.example"
		ids = append(ids, h.Deliver(t, l.mail()))
	}
	h.Deliver(t, letter{id: "noise@elsewhere.example"}.mail())
	all := must(t, h.Open(t), "", provider.Walk{Interest: interest, Only: true})
	for i, id := range ids {
		if _, ok := all.put()[id]; !ok {
			t.Errorf("interest %q, mail %s: not listed", interest, letters[i].name)
		}
	}
}

func narrowedNeverHidesReports(t T, h Harness) {
	report := h.Deliver(t, letter{id: "report@elsewhere.example",
		from: "Mail Delivery System <mailer-daemon@elsewhere.example>",
		fields: "Auto-Submitted: auto-replied\r\n" +
			"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
		body: "--b\r\nContent-Type: text/plain\r\n\r\nNot delivered.\r\n" +
			"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n" +
			"Final-Recipient: rfc822; carla@client.example\r\nAction: failed\r\nStatus: 5.1.1\r\n" +
			"\r\n--b--\r\n"}.mail())
	deliver(t, h, 3)
	all := must(t, h.Open(t), "", provider.Walk{Interest: []string{"client.example"}, Only: true})
	if _, ok := all.put()[report]; !ok {
		t.Errorf("interest in one domain: a delivery report from another was not listed")
	}
}

func countAbout(t T, h Harness) {
	ids := deliver(t, h, 40)
	m := h.Open(t)
	c, _ := provider.As[provider.Counter](m)
	got, err := c.Count(t.Context(), provider.Walk{})
	if err != nil || got < len(ids)/2 || got > len(ids)*2 {
		t.Errorf("Count of %d messages: got %d and error %v, want about %d", len(ids), got, err, len(ids))
	}
}
