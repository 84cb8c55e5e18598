package ticket

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/storage"
)

// pixelGIF is a picture of one transparent point.
const pixelGIF = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// longestPixel bounds the part of an address that is taken for a token.
const longestPixel = 512

// ServePixel answers for the images below Config.PixelURL, and notes the first time one is loaded on the entry
// of its mail (Entry.ViewedAt, R-MSG-09), whoever loads it: a mail program may do so without anybody looking,
// or never. What the address names is not told apart in the answer. It is for everybody, without a login.
func (s *Service) ServePixel(w http.ResponseWriter, r *http.Request) {
	if err := s.viewed(r.Context(), path.Base(r.URL.Path)); err != nil && !errors.Is(err, storage.ErrNotFound) {
		s.Logger.WarnContext(r.Context(), "note that a mail was opened", "err", err)
	}
	w.Header().Set("Content-Type", "image/gif")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(pixelGIF)) // whoever asked may have left
}

// viewed notes that the image of a token was loaded. Nothing changes on a ticket that is read-only for ever, or
// in the trash.
func (s *Service) viewed(ctx context.Context, token string) error {
	of, secret, err := parsePixel(token)
	if err != nil {
		return err
	}
	return storage.Redo(func() error {
		e, err := s.current(ctx, of)
		if err != nil {
			return err
		}
		t, e, err := s.place(ctx, e)
		if err != nil {
			return err
		}
		if e.Outgoing.Pixel == "" || subtle.ConstantTimeCompare([]byte(e.Outgoing.Pixel), []byte(secret)) == 0 {
			return noPixel()
		}
		if !e.ViewedAt.IsZero() || !t.ArchivedAt.IsZero() || !t.DeletedAt.IsZero() {
			return nil
		}
		e.ViewedAt = s.now()
		_, err = s.saveTickets(ctx, []Write{{Ticket: t, Entries: []Entry{e}}})
		return err
	})
}

// addPixel ends a letter's HTML with its image, where its site wants that.
func (s *Service) addPixel(l *letter, site *inbox.Settings) {
	if !site.TrackOpens || s.PixelURL == "" || l.draft.HTML == "" {
		return
	}
	l.pixel = newMarker()
	token := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s\n%s\n%s", l.inbox, l.entry, l.pixel))
	l.draft.HTML += `<img src="` + html.EscapeString(strings.TrimSuffix(s.PixelURL, "/")+"/"+token) +
		`" width="1" height="1" alt="">`
}

// parsePixel returns which entry a token is of, and its secret.
func parsePixel(token string) (e Entry, secret string, err error) {
	if len(token) > longestPixel {
		return Entry{}, "", noPixel()
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	parts := strings.Split(string(text), "\n")
	if err != nil || len(parts) != 3 {
		return Entry{}, "", noPixel()
	}
	return Entry{Inbox: inbox.ID(parts[0]), ID: EntryID(parts[1])}, parts[2], nil
}

func noPixel() error {
	return &storage.Error{Op: "open", Entity: "pixel", Err: storage.ErrNotFound}
}

// pixelsOf checks Config.PixelURL and finds its images in HTML, also where a service loads them on behalf of
// its users and has the address within one of its own.
func pixelsOf(at string) (*regexp.Regexp, error) {
	if at == "" {
		return nil, nil
	}
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(at, "?#\"<> ") {
		return nil, errors.New("ticket: Config.PixelURL is no absolute http or https address without a query")
	}
	return regexp.MustCompile(`(?is)<img\b[^>]*` + regexp.QuoteMeta(html.EscapeString(strings.TrimSuffix(at, "/"))) +
		`/[^>]*>`), nil
}

// withoutPixels takes the images out of HTML that is quoted: who reads the quote has not opened that mail.
func (s *Service) withoutPixels(page string) string {
	if s.pixels == nil {
		return page
	}
	return s.pixels.ReplaceAllString(page, "")
}

// unwatched keeps the images from being loaded by those who work here.
func (s *Service) unwatched(o htmlsafe.Options) htmlsafe.Options {
	if s.pixels == nil {
		return o
	}
	at, unwanted := strings.TrimSuffix(s.PixelURL, "/")+"/", o.Unwanted
	o.Unwanted = func(url string) bool {
		return strings.Contains(url, at) || unwanted != nil && unwanted(url)
	}
	return o
}
