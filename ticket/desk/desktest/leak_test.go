package desktest_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

// engineMethods are the exported methods without an actor: they are the engine's own and a host shows
// nobody what they return. Actor is where actors come from.
var engineMethods = []string{
	"inbox.Actor", "inbox.Deliver", "inbox.Erase", "inbox.ExpireDrafts", "inbox.FindSent", "inbox.Follow", "inbox.ForgetRaw", "inbox.MaxSend", "inbox.NoteBounce",
	"inbox.PurgeDeleted", "inbox.PushEvents", "inbox.Pushed", "inbox.Send", "inbox.Showing", "inbox.Sync", "inbox.TakeOver", "inbox.Wait", "inbox.Withhold",
	"ticket.Age", "ticket.BlobsInUse", "ticket.Collect", "ticket.Dispatch", "ticket.PurgeInbox", "ticket.PurgeTrash", "ticket.ServePixel", "ticket.TaskCompleted", "ticket.TaskReopened",
	"desk.Chores", "desk.Housekeep", "desk.InboxesOf", "desk.Look", "desk.Poll", "desk.Ring", "desk.RingAccount",
	"desk.Ringer", "desk.Run", "desk.Step", "desk.Watched",
}

// readMethods change nothing and are walked in one world. Every other method with an actor is taken
// for a write and gets a world of its own.
var readMethods = []string{
	"inbox.Authorize", "inbox.Companies", "inbox.Company", "inbox.Customer", "inbox.Customers", "inbox.Fate",
	"inbox.GivenUp", "inbox.Health", "inbox.Inbox", "inbox.Inboxes", "inbox.May", "inbox.Messages", "inbox.Original", "inbox.Part",
	"inbox.Preview", "inbox.Progress", "inbox.Raw", "inbox.Runs", "inbox.View", "inbox.Visible", "inbox.Waiting",
	"ticket.Catalog", "ticket.Children", "ticket.Counts", "ticket.Draft", "ticket.Drafts", "ticket.Entries",
	"ticket.Files", "ticket.LinkedTasks", "ticket.Mail", "ticket.OpenDraftFile", "ticket.OpenFile", "ticket.OpenInline",
	"ticket.Related", "ticket.Search", "ticket.Ticket", "ticket.Tickets", "ticket.Unread", "ticket.Visitors",
}

// trustedMethods take an actor and ask whether a mail is the creator's alone, but not for access to its
// inbox: package ticket has done so for its ticket. Hosts do not call them.
var trustedMethods = []string{"inbox.Shown", "inbox.ShownPart"}

// barredMethods are the writes no call of the walk gets to the end of: they need a consent under way, an
// inbox that is not set up, one that is paused, or mail that was given up or failed.
var barredMethods = []string{"inbox.Consent", "inbox.Finish", "inbox.Release", "inbox.Resume", "ticket.Retry"}

type leakMethod struct {
	name string
	call reflect.Value
}

// methods are the exported methods of the three services that take an actor; write says which kind.
func (w *leakWorld) methods(write bool) (out []leakMethod) {
	for pkg, service := range map[string]any{"inbox": w.desk.Inboxes, "ticket": w.desk.Tickets, "desk": w.desk} {
		v := reflect.ValueOf(service)
		for i := range v.NumMethod() {
			m := leakMethod{pkg + "." + v.Type().Method(i).Name, v.Method(i)}
			if takesActor(m.call.Type()) && write != slices.Contains(readMethods, m.name) {
				out = append(out, m)
			}
		}
	}
	slices.SortFunc(out, func(a, b leakMethod) int { return strings.Compare(a.name, b.name) })
	return out
}

func takesActor(m reflect.Type) bool {
	return m.NumIn() > 1 && m.In(1) == reflect.TypeFor[acl.Actor]()
}

func TestEveryMethodWithoutAnActorIsTheEngines(t *testing.T) { // decision 3 of package inbox
	t.Parallel()
	for pkg, typ := range map[string]reflect.Type{"inbox": reflect.TypeFor[*inbox.Service](),
		"ticket": reflect.TypeFor[*ticket.Service](), "desk": reflect.TypeFor[*desk.Desk]()} {
		for i := range typ.NumMethod() {
			m := typ.Method(i)
			name := pkg + "." + m.Name
			if m.Type.NumIn() > 2 && m.Type.In(2) == reflect.TypeFor[acl.Actor]() {
				continue
			}
			require.Contains(t, engineMethods, name, "a new method without an actor: who may see what it returns? "+
				"If it is the engine's alone, its comment says so and its name goes into engineMethods; otherwise it needs an actor")
		}
	}
}

// Every method with an actor is called by everybody, with the ids of everything there is. Nothing in
// what comes back, errors and streams included, holds a word the actor may not see (R-ACL-03,
// R-ACL-04, R-ACL-07, R-CHG-07, R-MSG-04, R-MSG-06, R-IMP-10, R-CUS-07, rows 20, 22 and 22b).
func TestNoReadShowsWhatSomebodyMayNotSee(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, w *leakWorld) {
		w.requireDistinctWords()
		args := w.arguments()
		for _, who := range w.people {
			told := ""
			for _, m := range w.methods(false) {
				told += w.tell(m, who, args)
			}
			for word, may := range w.secrets {
				if slices.Contains(may, who) {
					require.Contains(t, told, word, "%s may see it and no method shows it", who)
				}
			}
		}
		require.Equal(t, readMethods, names(w.methods(false)), "readMethods names what is not there any more")
		w.requireQuietLog()
	})
}

// The same for what changes something: what it returns, and the mail that leaves by it. A call of each
// succeeds, lest all of them stop before there is anything to show.
func TestNoWriteShowsWhatSomebodyMayNotSee(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		for i, m := range newLeakWorld(t, inMemory).methods(true) {
			if k.brief {
				continue // a world each takes too long
			}
			t.Run(k.name+" "+m.name, func(t *testing.T) {
				t.Parallel()
				w := newLeakWorld(t, k)
				args := w.arguments()
				for _, who := range w.people {
					w.tell(w.methods(true)[i], who, args)
				}
				require.NotEqual(t, slices.Contains(barredMethods, m.name), w.successes > 0,
					"%s succeeds %d times: put what it needs into arguments, or else its name into barredMethods", m.name, w.successes)
				w.requireQuietLog()
			})
		}
	}
}

// Notices too hold only what their receiver may see, or for the site what everybody in the inbox may.
func TestNoNoticeShowsWhatSomebodyMayNotSee(t *testing.T) { // R-FEA-08, R-MSG-04, R-CHG-07
	t.Parallel()
	onEveryStore(t, func(t *testing.T, w *leakWorld) {
		require.Contains(t, w.notices.got["carl"], "zqhiddensubject", "the creator is told of all mail")
		require.Contains(t, w.notices.got["rob"], "zqplainsubject", "a reader is told of mail")
		for receiver, text := range w.notices.got {
			who := receiver
			if who == "" {
				who = "rob"
			}
			w.requireOnlyAllowed(text, who, "", "a notice")
		}
		w.requireQuietLog()
	})
}

// tell calls a method in all ways there are and returns what it said, lower-cased.
func (w *leakWorld) tell(m leakMethod, who string, args map[reflect.Type][]any) string {
	w.t.Helper()
	actor := w.actor(who)
	var told strings.Builder
	for _, list := range w.calls(m.call.Type(), args) {
		in := append([]reflect.Value{reflect.ValueOf(w.t.Context()), reflect.ValueOf(actor)}, list...)
		var out []reflect.Value
		if m.call.Type().IsVariadic() {
			out = m.call.CallSlice(in)
		} else {
			out = m.call.Call(in)
		}
		if out[len(out)-1].Kind() != reflect.Interface || out[len(out)-1].IsNil() {
			w.successes++
		}
		text, given := "", ""
		for _, v := range out {
			text += spell(v.Interface())
		}
		text += w.sent()
		for _, v := range list {
			given += spell(v.Interface())
		}
		if m.name == "ticket.Search" {
			w.requireRightHits(text, who, list[0].Interface().(ticket.SearchQuery).Text)
		}
		w.requireOnlyAllowed(text, who, given, m.name)
		told.WriteString(text)
	}
	return told.String()
}

// requireOnlyAllowed fails on a word that this person may not see and has not said themselves.
func (w *leakWorld) requireOnlyAllowed(text, who, given, by string) {
	w.t.Helper()
	if !strings.Contains(text, "zq") && !strings.Contains(text, "id-") {
		return
	}
	for word := range w.secrets {
		if strings.Contains(text, word) && !w.maySee(who, word, by) && !strings.Contains(given, word) {
			w.t.Errorf("%s shows %s the word %q, which is for %q\nasked with %q\nanswer %q",
				by, who, word, w.secrets[word], given, text)
		}
	}
}

// maySee says whether a method may show somebody a word.
func (w *leakWorld) maySee(who, word, by string) bool {
	may := w.secrets[word]
	switch {
	case by == "inbox.Authorize" && strings.Contains(word, "exclusion"):
		return slices.Contains(viewersOfA, who) // the inbox is whole: it is how package ticket asks
	case slices.Contains(trustedMethods, by):
		shared := slices.Contains(may, "olga") && !strings.HasSuffix(who, "@2")
		far := slices.Contains(may, "fred@2") && strings.HasSuffix(who, "@2")
		return shared || far || slices.Contains(may, who)
	case by == "ticket.Restore" && word == "zqintrashsubject":
		return slices.Contains(w.secrets["zqnameoftrash"], who) // who may look into the trash
	}
	return slices.Contains(may, who)
}

// requireRightHits fails where a word finds something for whoever may not see it.
func (w *leakWorld) requireRightHits(text, who, word string) {
	w.t.Helper()
	if found := strings.Contains(text, "snippets"); found {
		require.Contains(w.t, w.secrets[word], who, "%s finds something by %q", who, word)
		require.NotContains(w.t, word, "bcc", "blind copies are never looked at")
	}
}

func (w *leakWorld) requireQuietLog() {
	w.t.Helper()
	require.NotContains(w.t, strings.ToLower(w.log.String()), "zq", "what is logged holds nothing of a mail")
}

// requireDistinctWords makes sure that finding one word is not finding another.
func (w *leakWorld) requireDistinctWords() {
	w.t.Helper()
	for a := range w.secrets {
		for b := range w.secrets {
			require.False(w.t, a != b && strings.Contains(a, b), "%q holds %q", a, b)
		}
	}
}

// sent returns the mails that have left through any of the accounts since it was last asked, without
// their Bcc fields: a mail that another wrote may leave by what somebody does.
func (w *leakWorld) sent() string {
	text := ""
	for _, address := range []string{"a@firm.example", "b@firm.example", "team@firm.example", "far@else.example"} {
		sends := w.mail.Account(address).Sends()
		for _, s := range sends[w.gone[address]:] {
			for line := range strings.Lines(strings.ToLower(string(s.Raw))) {
				if !strings.HasPrefix(line, "bcc:") {
					text += line
				}
			}
		}
		w.gone[address] = len(sends)
	}
	return text
}

func names(methods []leakMethod) (out []string) {
	for _, m := range methods {
		out = append(out, m.name)
	}
	return out
}
