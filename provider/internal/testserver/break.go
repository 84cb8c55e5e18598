package testserver

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
)

// Break is a way in which an exchange breaks.
type Break uint8

// The breaks. Those that come after the work are the dangerous ones: the mail is sent and the client
// is not told. In a part of a batch, which has no connection of its own, the breaks of a connection
// answer Faults.Unavailable to the part.
//
// The Transport of net/http repeats a GET by itself when a connection that it has used before ends
// without an answer; the repetition is a call like any other.
const (
	// CloseEarly resets the connection before the request's body is read. Nothing was done.
	CloseEarly Break = iota + 1
	// CloseUnserved resets the connection when the whole request was read. Nothing was done.
	CloseUnserved
	// CloseServed does the work and resets the connection instead of answering.
	CloseServed
	// Hang does not answer until the client goes away or the server closes. Nothing was done.
	Hang
	// HangServed does the work and then behaves as Hang.
	HangServed
	// Truncate does the work and answers half of the body, then the connection ends: the client
	// sees that something is missing.
	Truncate
	// Shorten does the work and answers half of the body as if it were the whole.
	Shorten
	// Empty does the work and answers with its status and no body.
	Empty
	// Alter does the work and answers with the body that Faults.Alter makes of it.
	Alter
	// Replace does the work and answers Fault.Reply, as a gateway does that has given up waiting.
	Replace
)

// Serve serves a call, or breaks it as Fail has said. The account is empty where none is known.
func (f *Faults) Serve(w http.ResponseWriter, r *http.Request, account, method string,
	serve func(http.ResponseWriter),
) {
	delay, fault := f.strike(r, account, method)
	if delay > 0 && !f.Server.Pause(r.Context(), delay) {
		f.Cut(w, r)
		return
	}
	switch {
	case fault == nil:
		serve(w)
	case fault.Break != 0:
		f.breakOff(w, r, method, fault, serve)
	default:
		drain(r) // as a server does that refuses after reading
		fault.Reply.write(w)
	}
}

func (f *Faults) breakOff(w http.ResponseWriter, r *http.Request, method string, fault *Fault,
	serve func(http.ResponseWriter),
) {
	switch fault.Break {
	case CloseEarly:
		f.Cut(w, r)
	case CloseUnserved:
		drain(r)
		f.Cut(w, r)
	case CloseServed:
		serve(httptest.NewRecorder())
		f.Cut(w, r)
	case Hang:
		drain(r)
		f.hang(w, r)
	case HangServed:
		serve(httptest.NewRecorder())
		drain(r)
		f.hang(w, r)
	case Truncate, Shorten, Empty, Alter:
		rec := httptest.NewRecorder()
		serve(rec)
		f.spoil(w, r, method, fault, rec)
	case Replace:
		serve(httptest.NewRecorder())
		drain(r)
		fault.Reply.write(w)
	default:
		panic(fmt.Sprintf("testserver: no such break: %d", fault.Break))
	}
}

// hang waits until somebody gives up. The net/http server notices a client that goes away only when
// the request's body was read to its end.
func (f *Faults) hang(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-f.Server.closing.Done():
	}
	f.Cut(w, r)
}

// spoil answers with what is left of an answer.
func (f *Faults) spoil(w http.ResponseWriter, r *http.Request, method string, fault *Fault,
	rec *httptest.ResponseRecorder,
) {
	body := rec.Body.Bytes()
	switch fault.Break {
	case Truncate:
		if r.ProtoMajor >= 2 || connected(w) {
			send(w, rec, len(body), body[:len(body)/2])
			_ = http.NewResponseController(w).Flush() // else the client gets less than half
			f.hangUp(w, r, false)
			return
		}
		body = body[:len(body)/2]
	case Shorten:
		body = body[:len(body)/2]
	case Empty:
		body = nil
	case Alter:
		body = f.Alter(*fault, method, rec.Code, body)
	}
	send(w, rec, len(body), body)
}

// send answers as rec has it, but with that body and Content-Length.
func send(w http.ResponseWriter, rec *httptest.ResponseRecorder, length int, body []byte) {
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(length))
	w.WriteHeader(rec.Code)
	_, _ = w.Write(body) // the client may be gone
}

func drain(r *http.Request) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body) // it may end early, which is the client's affair
	}
}

// Cut resets the connection instead of answering.
func (f *Faults) Cut(w http.ResponseWriter, r *http.Request) { f.hangUp(w, r, true) }

// hangUp ends the connection without another word, either by a reset, which takes back what has not
// arrived yet, or in order.
func (f *Faults) hangUp(w http.ResponseWriter, r *http.Request, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	switch {
	case err == nil:
		if c, ok := conn.(*net.TCPConn); ok && reset {
			_ = c.SetLinger(0) // if it cannot be, an orderly end is no answer either
		}
		_ = conn.Close()
	case r.ProtoMajor >= 2:
		panic(http.ErrAbortHandler)
	default:
		f.Unavailable.write(w) // a part of a batch
	}
}

// connected says whether there is a connection to end: a part of a batch has none.
func connected(w http.ResponseWriter) bool {
	for {
		switch inner := w.(type) {
		case http.Hijacker:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = inner.Unwrap()
		default:
			return false
		}
	}
}
