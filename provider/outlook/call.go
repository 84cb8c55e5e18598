package outlook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

// immutable asks for ids that stay when a message is moved
// (https://learn.microsoft.com/graph/outlook-immutable-id). It is not part of the links of a list, so
// that every request carries it.
const immutable = `IdType="ImmutableId"`

// The calls, as the operator reads them.
const (
	opList    = "messages.list"
	opCount   = "messages.count"
	opGet     = "messages.get"
	opValue   = "messages.value"
	opDelta   = "messages.delta"
	opFolders = "folders.delta"
	opFolder  = "folders.get"
	opUser    = "user.get"
	opSend    = "drafts.send"
	opMail    = "sendMail"
)

// call makes one call that may be repeated, through the gate, and maps its error to one of package
// provider. op names it for the operator. do is called again after a refusal, so it must set its
// results anew each time.
//
// A 404 and a 410 are a provider.ErrGone, whatever the call was of; failure.Code tells what is gone.
// What the service could not do now, after the gate has waited and tried again, is a
// *provider.RetryError.
func (m *mailbox) call(ctx context.Context, lane gate.Lane, op string, do func(context.Context) error) error {
	denied := false
	return m.gate.Do(ctx, lane, 1, func(ctx context.Context) error {
		began := time.Now()
		err := repeatable(ctx, op, do(ctx))
		if op == opValue && err == nil {
			m.pace.took(time.Since(began))
		}
		if failure.Code(err) == "ErrorAccessDenied" && !denied {
			// Seen in bursts of calls, for mail that may well be read: asked once more before it is
			// believed.
			denied = true
			return &gate.Refusal{Kind: gate.Busy, Err: err}
		}
		return m.explain(op, err)
	})
}

// callOnce is call for what must not happen twice: only what the service refused outright before it
// did anything is repeated. do says besides whether anything of the request left.
func (m *mailbox) callOnce(
	ctx context.Context, lane gate.Lane, op string, do func(context.Context) (left bool, err error),
) error {
	return m.gate.Do(ctx, lane, 1, func(ctx context.Context) error {
		left, err := do(ctx)
		return m.explain(op, unrepeatable(ctx, op, left, err))
	})
}

// explain finds who has to act where access was denied: the owner where a scope is missing, else an
// administrator.
func (m *mailbox) explain(op string, err error) error {
	f, ok := errors.AsType[*failure.Error](err)
	if !ok || f.Status != http.StatusForbidden || f.Decision != nil || !accessCodes[f.Code] {
		return err
	}
	need := []string{ScopeRead, ScopeReadWrite}
	switch op {
	case opUser:
		need = []string{scopeUser}
	case opSend, opMail:
		need = []string{ScopeSend}
	}
	if m.cred.granted(need...) {
		f.Decision = &provider.ConsentError{URL: m.p.adminURL(m.cred.Tenant)}
	} else {
		f.Decision = &provider.ScopeError{Missing: need[:1]}
	}
	return f
}

// accessCodes are the codes of a 403 that is about the grant.
var accessCodes = map[string]bool{"ErrorAccessDenied": true, "Authorization_RequestDenied": true, "AccessDenied": true}

// buffers hold answers while they are decoded. A page with bodies has megabytes.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxKept is the largest buffer that is kept for the next answer.
const maxKept = 16 << 20

// get makes one GET and decodes its answer into a new value, through the gate. prefer are preferences
// beside the one for immutable ids (RFC 7240).
func get[T any](ctx context.Context, m *mailbox, lane gate.Lane, op, address string, prefer ...string) (T, error) {
	var out T
	err := m.call(ctx, lane, op, func(ctx context.Context) error {
		var fresh T
		err := m.getJSON(ctx, address, &fresh, prefer...)
		out = fresh
		return err
	})
	return out, err
}

func (m *mailbox) getJSON(ctx context.Context, address string, into any, prefer ...string) error {
	resp, err := m.ask(ctx, address, prefer...)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	defer func() {
		if b.Cap() <= maxKept {
			buffers.Put(b)
		}
	}()
	if _, err := b.ReadFrom(resp.Body); err != nil {
		return err
	}
	return json.Unmarshal(b.Bytes(), into)
}

// ask makes one GET and returns its answer if it is a success.
func (m *mailbox) ask(ctx context.Context, address string, prefer ...string) (*http.Response, error) {
	if err := m.ours(address); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errForeignLink
	}
	r.Header.Set("Prefer", strings.Join(append([]string{immutable}, prefer...), ", "))
	resp, err := m.client.Do(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, readAnswerError(resp)
	}
	return resp, nil
}

var errForeignLink = fmt.Errorf("outlook: a link leads away from Options.Endpoints.Graph: %w", provider.ErrConfig)

// ours refuses addresses elsewhere: links come from outside, and every request carries a token.
func (m *mailbox) ours(address string) error {
	home, err := url.Parse(m.p.o.Endpoints.Graph)
	if err != nil {
		return errForeignLink
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != home.Scheme || u.Host != home.Host || u.User != nil {
		return errForeignLink
	}
	return nil
}

// address is where something of the account is: path segments are escaped.
func (m *mailbox) address(query url.Values, segments ...string) string {
	var b strings.Builder
	b.WriteString(m.p.o.Endpoints.Graph + "/me")
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	if len(query) > 0 {
		// Graph takes the dollar sign of system options as it is, and so do proxies.
		b.WriteString("?" + strings.ReplaceAll(query.Encode(), "%24", "$"))
	}
	return b.String()
}

// drain reads the rest of a small answer, for the connection to be used again.
func drain(r io.Reader) { _, _ = io.CopyN(io.Discard, r, 64<<10) }
