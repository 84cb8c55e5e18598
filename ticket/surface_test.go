package ticket_test

import (
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// Every exported method that takes an actor is called with real ids. Whoever may not know of the inbox
// gets storage.ErrNotFound or an empty list from each of them, and nothing is changed.
func TestEveryMethodIsClosedToStrangers(t *testing.T) { // R-ACL-04, R-ACL-07, 8.3 (1)
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.FailSendBefore()
	mail := w.reply(offer.ID)
	w.dispatch(11 * time.Minute) // in doubt, so that Resolve has something to decide
	w.host.SetSite(inbox.Settings{ID: "site-2"})
	foreign := person("carl", acl.Owner)
	foreign.Site = "site-2"
	w.host.AddPerson(foreign)
	elsewhere, err := w.inboxes.Actor(t.Context(), "site-2", "carl")
	require.NoError(t, err)
	gone := person("zoe", acl.Agent)
	gone.ID, gone.State = "gone", acl.Deactivated
	w.host.AddPerson(gone)

	w.tasks.SetReaders(site, "team", "carl")
	task, err := w.tasks.CreateTask(t.Context(), w.actor("carl"), ticket.NewTask{Site: site, Target: "team"})
	require.NoError(t, err)

	args := map[reflect.Type]any{
		reflect.TypeFor[ticket.ID]():          offer.ID,
		reflect.TypeFor[ticket.EntryID]():     mail.ID,
		reflect.TypeFor[ticket.Query]():       ticket.Query{Inboxes: []inbox.ID{w.in.ID}, Site: site, AllHidden: true},
		reflect.TypeFor[ticket.Status]():      ticket.OnHold,
		reflect.TypeFor[ticket.ThreadQuery](): ticket.ThreadQuery{},
		reflect.TypeFor[ticket.Reply]():       ticket.Reply{Text: "hello"},
		reflect.TypeFor[ticket.Forward]():     ticket.Forward{Text: "hello", To: addresses("tom")},
		reflect.TypeFor[ticket.SearchQuery](): ticket.SearchQuery{Text: "offer"},
		reflect.TypeFor[time.Time]():          w.clock(),
		reflect.TypeFor[ticket.Doing]():       ticket.Viewing,
		reflect.TypeFor[ticket.Edit]():        ticket.Edit{Status: new(ticket.Solved)},
		reflect.TypeFor[ticket.TaskID]():      task.ID,
		reflect.TypeFor[ticket.NewTask]():     ticket.NewTask{Target: "team"},
		reflect.TypeFor[ticket.Draft]():       ticket.Draft{Kind: ticket.EntryNoted, Text: "hello"},
		reflect.TypeFor[ticket.DraftFileID](): ticket.DraftFileID("file"),
		reflect.TypeFor[ticket.DraftFile]():   ticket.DraftFile{Name: "note"},
		reflect.TypeFor[io.Reader]():          strings.NewReader("file"),
		reflect.TypeFor[ticket.Start]():       ticket.Start{Text: "hello", To: addresses("tom")},
		reflect.TypeFor[inbox.ID]():           w.in.ID,
		reflect.TypeFor[[]ticket.ID]():        []ticket.ID{"another"},
		reflect.TypeFor[htmlsafe.Options]():   htmlsafe.Options{},
		reflect.TypeFor[acl.UserID]():         acl.UserID("carl"),
		reflect.TypeFor[string]():             "note",
		reflect.TypeFor[ticket.Resolution]():  ticket.ResolutionSent,
		reflect.TypeFor[ticket.Move]():        ticket.Move{To: w.in.ID},
		reflect.TypeFor[ticket.Split]():       ticket.Split{Entry: mail.ID},
	}
	// What is about the site and no inbox is open to all who work there: TestWhoMaySaveTheCatalog,
	// TestScopesNameOnlyInboxesTheReaderKnows.
	ofSite := []string{"Catalog", "SaveCatalog"}
	// What needs more than there is here, or ends what the others need, has tests of its own:
	// TestWhoMayDeleteAndRestore, TestWhoMayPurge, TestADraftIsSentAsItIs, TestFilesOfDraftsAreApart, TestWhoMayEditANote.
	own := []string{"Delete", "Purge", "AttachToDraft", "DetachFromDraft", "OpenDraftFile", "Draft", "DiscardDraft", "SendDraft",
		"EditNote", "DeleteNote", "Redact", "Merge", "Move", "Split", "Mail", "OpenFile", "OpenInline"}
	before := w.lines(offer.ID)
	methods := 0
	service := reflect.ValueOf(w.svc)
	for i := range service.NumMethod() {
		name, m := service.Type().Method(i).Name, service.Method(i)
		if m.Type().NumIn() < 2 || m.Type().In(1) != reflect.TypeFor[acl.Actor]() || slices.Contains(ofSite, name) {
			continue // the engine's own
		}
		methods++
		for who, actor := range map[string]acl.Actor{
			"a stranger": w.actor("zoe"), "a site admin": w.actor("adam"), "nobody": {},
			"the owner of another site": elsewhere, "somebody who left": w.actor("gone"),
		} {
			out := call(t, m, actor, args)
			if err := failure(out); err != nil {
				require.ErrorIs(t, err, storage.ErrNotFound, "%s by %s", name, who)
				require.True(t, len(out) == 1 || out[0].Kind() == reflect.Func || out[0].IsZero(), "%s by %s answers more than the error", name, who)
				continue
			}
			if out[0].Kind() == reflect.Slice {
				require.Zero(t, out[0].Len(), "%s by %s is not empty", name, who)
				continue
			}
			require.Equal(t, reflect.Func, out[0].Kind(), "%s by %s succeeds", name, who)
			require.Zero(t, length(out[0]), "%s by %s is not empty", name, who)
		}
	}
	require.Equal(t, 53, methods, "methods with an actor: a new one is looked at here and counted")
	require.Equal(t, before, w.lines(offer.ID), "nothing is changed")
	require.Empty(t, w.account.Sends())

	for i := range service.NumMethod() { // the same calls by the creator do what they are for
		name, m := service.Type().Method(i).Name, service.Method(i)
		if m.Type().NumIn() < 2 || m.Type().In(1) != reflect.TypeFor[acl.Actor]() || slices.Contains(ofSite, name) ||
			slices.Contains(own, name) {
			continue
		}
		if err := failure(call(t, m, w.actor("carl"), args)); !errors.Is(err, ticket.ErrNotQueued) && !errors.Is(err, ticket.ErrNotFailed) { // the mail is in doubt
			require.NoError(t, err, "%s by the creator", name)
		}
	}
}

// call calls a method with an actor and arguments by their type.
func call(t *testing.T, m reflect.Value, actor acl.Actor, args map[reflect.Type]any) []reflect.Value {
	t.Helper()
	in := []reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(actor)}
	for i := 2; i < m.Type().NumIn(); i++ {
		if m.Type().IsVariadic() && i == m.Type().NumIn()-1 {
			break
		}
		arg, ok := args[m.Type().In(i)]
		require.True(t, ok, "no argument of type %s", m.Type().In(i))
		in = append(in, reflect.ValueOf(arg))
	}
	return m.Call(in)
}

// failure is the error of a call, or the one a list ends with.
func failure(out []reflect.Value) error {
	last := out[len(out)-1]
	if last.Kind() != reflect.Func {
		err, _ := last.Interface().(error)
		return err
	}
	var failed error
	for _, err := range last.Seq2() {
		if e, ok := err.Interface().(error); ok {
			failed = errors.Join(failed, e)
		}
	}
	return failed
}

func length(list reflect.Value) int {
	n := 0
	for range list.Seq2() {
		n++
	}
	return n
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	whole := ticket.Config{Store: w.store, Inboxes: w.inboxes, Archive: w.store, Blobs: w.store}
	s, err := ticket.New(whole)
	require.NoError(t, err)
	require.NotEmpty(t, s.NewID())
	require.NotZero(t, s.Now())
	for field, without := range map[string]func(*ticket.Config){
		"Store":   func(c *ticket.Config) { c.Store = nil },
		"Inboxes": func(c *ticket.Config) { c.Inboxes = nil },
		"Archive": func(c *ticket.Config) { c.Archive = nil },
		"Blobs":   func(c *ticket.Config) { c.Blobs = nil },
	} {
		c := whole
		without(&c)
		_, err := ticket.New(c)
		require.ErrorContains(t, err, "Config."+field)
	}
}
