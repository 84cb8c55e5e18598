package gmail

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	api "google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

const (
	opGet     = "messages.get"
	opList    = "messages.list"
	opThread  = "threads.get"
	opHistory = "history.list"
	opProfile = "getProfile"

	rawFields = "id,threadId,labelIds,internalDate,raw"
	// maxRest is how much a message may say beside its raw bytes.
	maxRest = 1 << 20
	// maxGrow is how much memory is taken on the word of a Content-Length.
	maxGrow = 64 << 20
)

var (
	errBadRaw = errors.New("the raw message is not base64url")
	errNoRaw  = errors.New("an answer without the raw message")
	errTooFar = errors.New("a message with more than 1 MiB beside its raw bytes")
)

// whole gets a message with its raw bytes. The generated client would hold the answer three times
// over, 150 MB for a mail of 35 MB; this one decodes while it reads.
func (m *mailbox) whole(ctx context.Context, lane gate.Lane, id string) (msg *api.Message, raw []byte, err error) {
	err = m.call(ctx, lane, opGet, m.p.o.Quota.Prices.Get, func(ctx context.Context) error {
		msg, raw, err = m.getRaw(ctx, id)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return msg, raw, nil
}

func (m *mailbox) getRaw(ctx context.Context, id string) (*api.Message, []byte, error) {
	client := &http.Client{
		Transport:     &oauth.Transport{Source: m.source, Base: m.p.base},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if m.p.o.HTTP != nil {
		client.Timeout = m.p.o.HTTP.Timeout
	}
	query := url.Values{
		"alt": {"json"}, "prettyPrint": {"false"}, "format": {"raw"}, "fields": {rawFields},
	}
	address := m.p.o.Endpoints.API + "gmail/v1/users/" + me + "/messages/" + url.PathEscape(id) +
		"?" + query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer googleapi.CloseBody(resp)
	if err := googleapi.CheckResponse(resp); err != nil {
		return nil, nil, err
	}
	msg, raw, err := readRaw(resp.Body, resp.ContentLength)
	return msg, raw, unless(func() bool { return soundMessage(msg, id) }, err)
}

// readRaw reads a message in JSON whose raw bytes are decoded while they are read. size is the
// length of the JSON in bytes, if it is known. Text that breaks off is an io.ErrUnexpectedEOF.
func readRaw(r io.Reader, size int64) (*api.Message, []byte, error) {
	s := rawScanner{r: bufio.NewReaderSize(r, 32<<10), grow: int(min(max(size, 0)/4*3, maxGrow))}
	if err := s.scan(); err != nil {
		return nil, nil, err
	}
	var msg api.Message
	if err := json.Unmarshal(s.rest.Bytes(), &msg); err != nil {
		return nil, nil, err
	}
	if !s.found {
		return nil, nil, errNoRaw
	}
	return &msg, s.raw.Bytes(), nil
}

// rawScanner parts one JSON object into the value of its member "raw" and everything else.
type rawScanner struct {
	r     *bufio.Reader
	grow  int
	raw   bytes.Buffer
	rest  bytes.Buffer
	found bool

	depth    int
	key      []byte // of the member being read, its beginning
	inValue  bool   // behind the colon of a member of the object
	inString bool
	escaped  bool
}

func (s *rawScanner) scan() error {
	for {
		c, err := s.r.ReadByte()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if s.rest.WriteByte(c); s.rest.Len() > maxRest {
			return errTooFar
		}
		if s.next(c) {
			if err := s.decode(); err != nil {
				return err
			}
		}
	}
}

// next takes one byte of JSON. True says that the value of "raw" begins behind it.
func (s *rawScanner) next(c byte) bool {
	switch {
	case s.inString:
		switch {
		case s.escaped:
			s.escaped = false
		case c == '\\':
			s.escaped = true
		case c == '"':
			s.inString = false
			return false
		}
		if !s.inValue && len(s.key) < len("raw")+1 {
			s.key = append(s.key, c)
		}
	case c == '"':
		if s.depth == 1 && s.inValue && string(s.key) == "raw" && !s.found {
			return true
		}
		s.inString = true
		if !s.inValue {
			s.key = s.key[:0]
		}
	case c == ':' && s.depth == 1:
		s.inValue = true
	case c == ',' && s.depth == 1:
		s.inValue = false
	case c == '{' || c == '[':
		s.depth++
	case c == '}' || c == ']':
		s.depth--
	}
	return false
}

// decode reads the string that has begun, to its end, and leaves an empty one in the rest.
func (s *rawScanner) decode() error {
	s.found = true
	s.raw.Grow(s.grow)
	text := &quotedText{r: s.r}
	_, err := s.raw.ReadFrom(base64.NewDecoder(base64.RawURLEncoding, text))
	if text.err != nil {
		return text.err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errBadRaw, err)
	}
	s.rest.WriteByte('"')
	return nil
}

// quotedText reads a JSON string of base64 to its closing quote. Padding is left out and the other
// alphabet accepted: both have been seen.
type quotedText struct {
	r    *bufio.Reader
	done bool
	err  error // what is wrong with the JSON, or the reader
}

func (q *quotedText) Read(p []byte) (int, error) {
	for !q.done {
		if _, err := q.r.Peek(1); err != nil {
			return 0, q.fail(err)
		}
		window, _ := q.r.Peek(min(q.r.Buffered(), len(p))) // all of it is there
		n := 0
		for n < len(window) && !special[window[n]] {
			n++
		}
		if n > 0 {
			copy(p, window[:n])
			_, _ = q.r.Discard(n) // of what was peeked
			return n, nil
		}
		c, _ := q.r.ReadByte()
		if c == '\\' {
			var err error
			if c, err = q.escape(); err != nil {
				return 0, q.fail(err)
			}
		}
		switch c {
		case '"':
			q.done = true
		case '=':
		case '+':
			p[0] = '-'
			return 1, nil
		case '/':
			p[0] = '_'
			return 1, nil
		default:
			p[0] = c
			return 1, nil
		}
	}
	return 0, io.EOF
}

func (q *quotedText) fail(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	q.err, q.done = err, true
	return err
}

// special are the characters that do not stand for themselves.
var special = [256]bool{'"': true, '\\': true, '=': true, '+': true, '/': true}

// escape reads an escape sequence behind its backslash: Google writes "=" as one.
func (q *quotedText) escape() (byte, error) {
	var text [6]byte
	text[0] = '\\'
	length := 2
	for i := 1; i < length; i++ {
		c, err := q.r.ReadByte()
		if err != nil {
			return 0, err
		}
		if text[i] = c; i == 1 && c == 'u' {
			length = len(text)
		}
	}
	var s string
	if err := json.Unmarshal([]byte(`"`+string(text[:length])+`"`), &s); err != nil || len(s) != 1 || s == `"` {
		return 0, errBadRaw
	}
	return s[0], nil
}
