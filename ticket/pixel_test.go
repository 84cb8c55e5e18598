package ticket_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

const pixelURL = "https://desk.firm.example/opened/"

var pixel = regexp.MustCompile(regexp.QuoteMeta(pixelURL) + "[A-Za-z0-9_-]+")

// pixels are the addresses of the images in the mail that left last.
func (w *world) pixels() []string { return pixel.FindAllString(w.lastSent().HTML, -1) }

// load asks for an image, as a mail program does.
func (w *world) load(address string) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.svc.ServePixel(rec, httptest.NewRequest(http.MethodGet, address, nil))
	require.Equal(w.t, http.StatusOK, rec.Code)
	require.Equal(w.t, "image/gif", rec.Header().Get("Content-Type"))
	require.Equal(w.t, "no-store", rec.Header().Get("Cache-Control"))
	picture, err := io.ReadAll(rec.Body)
	require.NoError(w.t, err)
	require.Equal(w.t, "image/gif", http.DetectContentType(picture))
}

// tracked is a world whose site tracks what is opened, and an answer in HTML on its ticket.
func tracked(t *testing.T) (*world, ticket.Ticket, ticket.Entry) {
	t.Helper()
	w, offer := asked(t, fake.Options{})
	w.host.SetSite(inbox.Settings{ID: site, TrackOpens: true})
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{HTML: "<p>our price</p>"})
	require.NoError(t, err)
	return w, offer, e
}

// viewedAt is when a mail was opened, as rob sees it.
func (w *world) viewedAt(id ticket.ID, entry ticket.EntryID) time.Time {
	w.t.Helper()
	for _, e := range w.history("rob", id) {
		if e.ID == entry {
			return e.ViewedAt
		}
	}
	require.Fail(w.t, "the entry is gone")
	return time.Time{}
}

func TestOpenedMailIsNotedOnce(t *testing.T) { // R-MSG-01, R-MSG-09
	t.Parallel()
	w, offer, e := tracked(t)
	at := w.pixels()
	require.Len(t, at, 1)
	require.Zero(t, w.viewedAt(offer.ID, e.ID))
	w.advance(time.Minute)
	opened := w.clock()
	w.load(at[0])
	w.advance(time.Minute)
	w.load(at[0])
	require.Equal(t, opened, w.viewedAt(offer.ID, e.ID))
	w.pull() // the copy comes back
	require.Equal(t, opened, w.viewedAt(offer.ID, e.ID))

	other := w.ask("Bob <bob@acme.com>", "other")
	w.advance(time.Minute)
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{HTML: "<p>cheaper</p>"})
	require.NoError(t, err)
	w.pull()
	w.merge("carl", other.ID, offer.ID)
	w.load(w.pixels()[0])
	entries := w.history("rob", other.ID)
	require.Equal(t, w.clock(), entries[len(entries)-2].ViewedAt, "on the ticket it is in by now")
}

func TestOnlyHTMLOfSitesThatTrackHasAPixel(t *testing.T) { // R-MSG-09
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	html := ticket.Reply{HTML: "<p>our price</p>"}
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, html)
	require.NoError(t, err)
	require.Empty(t, w.pixels(), "off by default")
	w.host.SetSite(inbox.Settings{ID: site, TrackOpens: true})
	e := w.reply(offer.ID)
	require.Empty(t, e.Outgoing.Pixel)
	require.Empty(t, w.lastSent().HTML)
	w.forward("rita", offer.ID, ticket.Forward{To: addresses("tom"), HTML: "<p>look</p>"})
	require.Len(t, w.pixels(), 1)
	w.svc.PixelURL = ""
	_, err = w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, html)
	require.NoError(t, err)
	require.Empty(t, w.pixels(), "nobody serves it")
}

func TestOtherAddressesNoteNothing(t *testing.T) {
	t.Parallel()
	w, offer, e := tracked(t)
	token := strings.TrimPrefix(w.pixels()[0], pixelURL)
	text, err := base64.RawURLEncoding.DecodeString(token)
	require.NoError(t, err)
	parts := strings.Split(string(text), "\n")
	before := w.dump()
	for name, tried := range map[string]string{
		"nothing":         "",
		"no token":        "pixel.gif",
		"too long":        strings.Repeat("A", 1<<16),
		"two parts":       parts[0] + "\n" + parts[1],
		"another secret":  parts[0] + "\n" + parts[1] + "\n" + strings.Repeat("0", 32),
		"no secret":       parts[0] + "\n" + parts[1] + "\n",
		"another entry":   parts[0] + "\n" + string(w.entries(offer.ID)[0].ID) + "\n" + parts[2],
		"no entry":        parts[0] + "\n\n" + parts[2],
		"another mailbox": "id-999999\n" + parts[1] + "\n" + parts[2],
		"no mailbox":      "\n" + parts[1] + "\n" + parts[2],
	} {
		w.load(pixelURL + url.PathEscape(tried))
		w.load(pixelURL + base64.RawURLEncoding.EncodeToString([]byte(tried)))
		require.Equal(t, before, w.dump(), name)
	}
	w.trash(offer.ID)
	w.load(pixelURL + token)
	_, err = w.svc.Restore(t.Context(), w.actor("carl"), offer.ID)
	require.NoError(t, err)
	require.Zero(t, w.viewedAt(offer.ID, e.ID), "nothing is noted in the trash")
}

// A mail that has no image has no secret either: an empty one opens nothing.
func TestMailWithoutAPixelIsNotOpened(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	e := w.reply(offer.ID)
	w.load(pixelURL + base64.RawURLEncoding.EncodeToString([]byte(string(e.Inbox)+"\n"+string(e.ID)+"\n")))
	require.Zero(t, w.viewedAt(offer.ID, e.ID))
}

// Who works here, and who gets a quote, does not open the mail that is quoted.
func TestAPixelIsNeitherShownNorQuoted(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]func(string) string{
		"as it was": func(at string) string { return at },
		"proxied":   func(at string) string { return "https://images.example/x=s0#" + at },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, offer, _ := tracked(t)
			at := w.pixels()[0]
			w.advance(time.Minute)
			w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>", "Content-Type: text/html; charset=utf-8",
				"X-End: x\r\n\r\n<p>ok</p><img src=\"https://acme.com/logo.png\"><blockquote>our price<IMG alt=\"\" src=\""+
					address(at)+"\" width=\"1\"></blockquote>")
			w.pull()
			var answer ticket.Entry
			for _, e := range w.history("rita", offer.ID) {
				if e.Kind == ticket.EntryReceived {
					answer = e
				}
			}
			v, err := w.svc.Mail(t.Context(), w.actor("rita"), offer.ID, answer.ID, htmlsafe.Options{RemoteImages: true})
			require.NoError(t, err)
			require.Contains(t, v.HTML.String(), "logo.png")
			require.NotContains(t, v.HTML.String(), at)
			for l, err := range w.svc.Thread(t.Context(), w.actor("rita"), offer.ID, ticket.ThreadQuery{HTML: htmlsafe.Options{RemoteImages: true}}) {
				require.NoError(t, err)
				if l.Mail != nil {
					require.NotContains(t, l.Mail.HTML.String(), pixelURL)
				}
			}
			v, err = w.svc.Mail(t.Context(), w.actor("rita"), offer.ID, answer.ID, htmlsafe.Options{})
			require.NoError(t, err)
			require.Equal(t, 1, v.HTML.Blocked(), "the logo")

			_, err = w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{HTML: "<p>fine</p>"})
			require.NoError(t, err)
			require.Contains(t, w.lastSent().HTML, "logo.png", "it is quoted")
			require.NotContains(t, w.lastSent().HTML, at)
			require.Len(t, w.pixels(), 1)
			w.forward("rita", offer.ID, ticket.Forward{To: addresses("tom"), HTML: "<p>look</p>"})
			require.NotContains(t, w.lastSent().HTML, at)
			require.Len(t, w.pixels(), 1)
		})
	}
}

func TestPixelURLIsAnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	for address, good := range map[string]bool{
		"": true, "https://desk.example": true, "http://localhost:8080/o": true, pixelURL: true,
		"desk.example/o": false, "/o": false, "ftp://desk.example": false, "https://": false, "https://desk.example/?t=": false,
		"https://desk.example/#": false, `https://desk.example/"`: false, "https://desk.example/a b": false, "https://%zz": false,
	} {
		_, err := ticket.New(ticket.Config{Store: w.store, Inboxes: w.inboxes, Archive: w.store, Blobs: w.store, PixelURL: address})
		require.Equal(t, good, err == nil, "%q: %v", address, err)
	}
}
