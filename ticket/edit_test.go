package ticket_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

// edit changes options as rita, who may.
func (w *world) edit(id ticket.ID, e ticket.Edit) (ticket.Ticket, error) {
	w.t.Helper()
	return w.svc.Edit(w.t.Context(), w.actor("rita"), id, e)
}

// other makes a second customer whom the team knows of, and returns their id.
func (w *world) other() inbox.CustomerID {
	w.t.Helper()
	c, err := w.inboxes.CreateCustomer(w.t.Context(), w.actor("olga"), inbox.CustomerEdit{Name: "Ben", Address: "ben@acme.com"})
	require.NoError(w.t, err)
	return c.ID
}

func TestEachOptionIsOneLineAndOneEvent(t *testing.T) { // R-TKT-01, RULES 10
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.choices()
	ben := w.other()
	for _, row := range []struct {
		name string
		edit ticket.Edit
		line string // of the history, without "changed " and the author
		want string // the event with its facts
	}{
		{"R-STA-01 status", ticket.Edit{Status: new(ticket.Status("in-review"))}, "status active>in-review", "ticket.status map[from:active to:in-review]"},
		{"row 12 assignee", ticket.Edit{Assignee: new(acl.UserID("carl"))}, "assignee >carl", "ticket.assigned map[]"},
		{"row 12 nobody", ticket.Edit{Assignee: new(acl.UserID(""))}, "assignee carl>", "ticket.unassigned map[]"},
		{"R-TKT-03 priority", ticket.Edit{Priority: new("high")}, "priority >high", "ticket.priority map[from: option:priority to:high]"},
		{"R-TKT-03 no priority", ticket.Edit{Priority: new("")}, "priority high>", "ticket.priority map[from:high option:priority to:]"},
		{"R-TKT-03 type", ticket.Edit{Type: new("fault")}, "type >fault", "ticket.edited map[from: option:type to:fault]"},
		{"R-TKT-02 source", ticket.Edit{Source: new("fair")}, "source email>fair", "ticket.edited map[from:email option:source to:fair]"},
		{"R-TKT-03 tag", ticket.Edit{AddTags: []string{"red", "red"}}, "tag >red", "ticket.tag.added map[tag:red]"},
		{"R-TKT-03 tag off", ticket.Edit{RemoveTags: []string{"red", "none"}}, "tag red>", "ticket.tag.removed map[tag:red]"},
		{"R-MSG-03 customer", ticket.Edit{Customer: &ben}, "customer " + string(offer.Customer) + ">" + string(ben),
			fmt.Sprintf("ticket.edited map[from:%s option:customer to:%s]", offer.Customer, ben)},
		{"R-TKT-03 text", ticket.Edit{Fields: map[string][]string{"contract": {"A-1 "}}}, "field.contract >A-1 ", "ticket.edited map[option:field.contract]"},
		{"R-TKT-03 textarea", ticket.Edit{Fields: map[string][]string{"story": {"a\nb"}}}, "field.story >a\nb", "ticket.edited map[option:field.story]"},
		{"R-TKT-03 number", ticket.Edit{Fields: map[string][]string{"seats": {"+007.50"}}}, "field.seats >7.5", "ticket.edited map[option:field.seats]"},
		{"R-TKT-03 date", ticket.Edit{Fields: map[string][]string{"due": {" 2026-04-01 "}}}, "field.due >2026-04-01", "ticket.edited map[option:field.due]"},
		{"R-TKT-03 dropdown", ticket.Edit{Fields: map[string][]string{"plan": {"big"}}}, "field.plan >big", "ticket.edited map[option:field.plan]"},
		{"R-TKT-03 checkboxes", ticket.Edit{Fields: map[string][]string{"needs": {"bill", "call", "bill"}}}, "field.needs >call, bill", "ticket.edited map[option:field.needs]"},
		{"R-TKT-03 cleared", ticket.Edit{Fields: map[string][]string{"needs": {""}}}, "field.needs call, bill>", "ticket.edited map[option:field.needs]"},
		{"R-STA-01 built in", ticket.Edit{Status: new(ticket.Solved)}, "status in-review>solved", "ticket.status map[from:in-review to:solved]"},
	} {
		w.advance(time.Minute)
		lines, events := len(w.entries(offer.ID)), len(w.due())
		got, err := w.edit(offer.ID, row.edit)
		require.NoError(t, err, row.name)
		require.Equal(t, w.only(), got, row.name)
		require.Equal(t, []string{"changed " + row.line + " by rita"}, w.lines(offer.ID)[lines:], row.name)
		require.Equal(t, w.clock(), got.Activity, row.name)
		ev := w.due()
		require.Len(t, ev, events+1, row.name)
		last := ev[events]
		require.Equal(t, row.want, fmt.Sprintf("%s %v", last.Name, last.Facts), row.name)
		require.Equal(t, [3]string{"rita", string(offer.ID), string(offer.Last)},
			[3]string{string(last.Actor), last.Ticket, string(last.Message)}, row.name)

		again, err := w.edit(offer.ID, row.edit)
		require.NoError(t, err, row.name)
		require.Equal(t, got, again, "%s: the same again changes nothing", row.name)
	}
	got := w.only()
	require.Equal(t, map[string][]string{"contract": {"A-1 "}, "story": {"a\nb"}, "seats": {"7.5"},
		"due": {"2026-04-01"}, "plan": {"big"}}, got.Fields)
	require.Empty(t, got.Tags)
}

func TestAnEditIsAllOrNothing(t *testing.T) { // R-TKT-01
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.choices()
	whole := ticket.Edit{Status: new(ticket.OnHold), Assignee: new(acl.UserID("rita")), Priority: new("low"),
		AddTags: []string{"red", "blue"}, Fields: map[string][]string{"seats": {"3"}, "plan": {"small"}}}
	w.advance(time.Minute)
	bad := whole
	bad.Source, bad.Type, bad.Assignee = new("radio"), new("wish"), new(acl.UserID("rob"))
	bad.Fields = map[string][]string{"seats": {"three"}, "colour": {"red"}, "plan": {"small"}}
	_, err := w.edit(offer.ID, bad)
	require.ErrorIs(t, err, ticket.ErrOption)
	require.ErrorIs(t, err, ticket.ErrCannotAssign)
	for _, want := range []string{`source "radio" is not in the catalog`, `type "wish" is not in the catalog`,
		"field.seats is not a number", "field.colour is not in the catalog"} {
		require.ErrorContains(t, err, want, "everything that is wrong is told at once")
	}
	require.NotContains(t, err.Error(), "three", "what was entered freely is not repeated")
	require.Equal(t, offer, w.only())
	require.Equal(t, []string{"received"}, w.lines(offer.ID))

	got, err := w.edit(offer.ID, whole)
	require.NoError(t, err)
	require.Equal(t, offer.Version+1, got.Version, "one write")
	require.ElementsMatch(t, []string{"received", "changed status active>on-hold by rita", "changed assignee >rita by rita",
		"changed priority >low by rita", "changed tag >red by rita", "changed tag >blue by rita",
		"changed field.plan >small by rita", "changed field.seats >3 by rita"}, w.lines(offer.ID))
	require.Equal(t, []string{"ticket.created", "ticket.status", "ticket.assigned", "ticket.priority",
		"ticket.tag.added", "ticket.tag.added", "ticket.edited", "ticket.edited"}, w.events())
}

func TestValuesOfFieldsAreChecked(t *testing.T) { // R-TKT-03
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.choices()
	for _, row := range []struct {
		field  string
		values []string
		want   ticket.OptionReason
	}{
		{"contract", []string{"a", "b"}, ticket.OptionOneValue},
		{"contract", []string{"a\nb"}, ticket.OptionOneLine},
		{"contract", []string{strings.Repeat("é", 256)}, ticket.OptionTooLong},
		{"story", []string{strings.Repeat("é", 10_001)}, ticket.OptionTooLong},
		{"seats", []string{"1e3"}, ticket.OptionNotNumber},
		{"seats", []string{"1234567890123456"}, ticket.OptionNotNumber},
		{"seats", []string{"1."}, ticket.OptionNotNumber},
		{"due", []string{"2026-02-30"}, ticket.OptionNotDate},
		{"due", []string{"01.04.2026"}, ticket.OptionNotDate},
		{"plan", []string{"huge"}, ticket.OptionUnknown},
		{"plan", []string{"small", "big"}, ticket.OptionOneValue},
		{"needs", []string{"call", "sleep"}, ticket.OptionUnknown},
		{"size", []string{"1"}, ticket.OptionUnknown},
	} {
		_, err := w.edit(offer.ID, ticket.Edit{Fields: map[string][]string{row.field: row.values}})
		var bad *ticket.OptionError
		require.ErrorAs(t, err, &bad, "%s %.20q", row.field, row.values)
		require.Equal(t, "field."+row.field, bad.Option)
		require.Equal(t, row.want, bad.Reason, "%s %.20q", row.field, row.values)
	}
	require.Equal(t, offer, w.only())
}

func TestWhatIsNotOfferedAnyMoreMayStay(t *testing.T) { // R-TKT-03
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	c := w.choices()
	_, err := w.edit(offer.ID, ticket.Edit{Fields: map[string][]string{"needs": {"call"}, "plan": {"big"}, "due": {"2026-04-01"}}})
	require.NoError(t, err)
	for i := range c.Fields {
		switch f := &c.Fields[i]; f.Code {
		case "needs":
			f.Choices[0].Retired = true
		case "due":
			f.Retired = true
		case "plan":
			f.Scope = ticket.Scope{Limited: true}
		}
	}
	_, err = w.svc.SaveCatalog(t.Context(), w.actor("olga"), c)
	require.NoError(t, err)

	got, err := w.edit(offer.ID, ticket.Edit{Fields: map[string][]string{"needs": {"call", "bill"}}})
	require.NoError(t, err, "a choice that was there stays beside a new one")
	require.Equal(t, []string{"call", "bill"}, got.Fields["needs"])
	for _, row := range []struct {
		field, value string
		want         ticket.OptionReason
	}{
		{"due", "2026-04-02", ticket.OptionRetired}, {"plan", "small", ticket.OptionElsewhere},
	} {
		var bad *ticket.OptionError
		_, err = w.edit(offer.ID, ticket.Edit{Fields: map[string][]string{row.field: {row.value}}})
		require.ErrorAs(t, err, &bad, row.field)
		require.Equal(t, row.want, bad.Reason, row.field)
	}
	_, err = w.edit(offer.ID, ticket.Edit{Fields: map[string][]string{"needs": nil, "due": nil, "plan": nil}})
	require.NoError(t, err, "taken off it may be")
	require.Empty(t, w.only().Fields)
	_, err = w.edit(offer.ID, ticket.Edit{Fields: map[string][]string{"needs": {"call"}}})
	require.ErrorIs(t, err, ticket.ErrOption, "and not put on again")
}

func TestEditsAtTheSameTimeAreIntents(t *testing.T) { // R-TKT-01: a version conflict is done again
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.choices()
	w.store.before = func() {
		w.store.before = nil
		_, err := w.svc.Edit(t.Context(), w.actor("carl"), offer.ID, ticket.Edit{AddTags: []string{"blue"}, Priority: new("high")})
		require.NoError(t, err)
	}
	got, err := w.edit(offer.ID, ticket.Edit{AddTags: []string{"red"}, Status: new(ticket.OnHold), Seen: new(offer.Options())})
	require.NoError(t, err, "what carl changed is nothing rita changes")
	require.Equal(t, []string{"blue", "red"}, got.Tags)
	require.Equal(t, "high", got.Priority)
}

func TestAConflictIsReadable(t *testing.T) { // R-TKT-01: a real conflict comes back readable
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.choices()
	seen := offer.Options()
	_, err := w.svc.Edit(t.Context(), w.actor("carl"), offer.ID, ticket.Edit{Status: new(ticket.Solved),
		Priority: new("high"), Fields: map[string][]string{"contract": {"secret 7"}}})
	require.NoError(t, err)
	before := w.only()

	want := ticket.Edit{Status: new(ticket.OnHold), Priority: new("high"), AddTags: []string{"red"},
		Fields: map[string][]string{"contract": {"secret 8"}}, Seen: &seen}
	_, err = w.edit(offer.ID, want)
	var conflict *ticket.EditConflictError
	require.ErrorAs(t, err, &conflict)
	require.ErrorIs(t, err, ticket.ErrEditConflict)
	require.Equal(t, []ticket.Conflict{
		{Option: "status", Seen: "active", Now: "solved", Wanted: "on-hold"},
		{Option: "field.contract", Seen: "", Now: "secret 7", Wanted: "secret 8"},
	}, conflict.Conflicts, "the priority is what both want")
	require.NotContains(t, err.Error(), "secret")
	require.Equal(t, before, w.only(), "nothing is changed")

	want.Seen = new(before.Options())
	_, err = w.edit(offer.ID, want)
	require.NoError(t, err, "now they have seen it")
	want.Seen, want.Status = nil, new(ticket.Closed)
	_, err = w.edit(offer.ID, want)
	require.NoError(t, err, "nobody asked")
}

func TestACustomerPickedByHandStays(t *testing.T) { // R-MSG-03, R-CUS-07
	t.Parallel()
	w, offer := asked(t, fake.Options{}, "Message-ID: <ask@acme.com>")
	ben := w.other()
	_, err := w.edit(offer.ID, ticket.Edit{Customer: &ben})
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "more", "References: <ask@acme.com>")
	w.pull()
	require.Equal(t, ben, w.only().Customer)
	for _, id := range []inbox.CustomerID{"", "nobody"} {
		_, err = w.edit(offer.ID, ticket.Edit{Customer: &id})
		require.ErrorIs(t, err, ticket.ErrOption, "customer %q", id)
	}
}

func TestATicketHasOnlySoManyTags(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	var tags []string
	w.choices(func(c *ticket.Catalog) {
		for i := range 101 {
			tags = append(tags, fmt.Sprint("tag-", i))
			c.Tags = append(c.Tags, ticket.Label{Code: tags[i], Name: tags[i]})
		}
	})
	_, err := w.edit(offer.ID, ticket.Edit{AddTags: tags})
	require.ErrorIs(t, err, ticket.ErrOption)
	got, err := w.edit(offer.ID, ticket.Edit{AddTags: tags[1:]})
	require.NoError(t, err)
	require.Len(t, got.Tags, 100)
	got, err = w.edit(offer.ID, ticket.Edit{AddTags: tags[:1], RemoveTags: tags[1:2]})
	require.NoError(t, err)
	require.NotContains(t, got.Tags, tags[1])
}
