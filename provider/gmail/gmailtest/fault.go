package gmailtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// Fault is something that goes wrong with calls. Which calls it hits is fixed by the calls alone, never
// by chance or by the clock: the same calls in the same order break in the same way. Its fields say:
//
//   - Method, Account and Match: which calls are meant, by default all. Method is a name as in Stats:
//     "messages.get", "history.list", "token"; Account is an address, which calls of the token endpoint
//     have not; Match must not read the body.
//   - Skip, Times, Rate and Seed: how many of them, by default the next one. Skip lets calls pass
//     first; a negative Times is no end; Rate hits that part of them, 0 to 1, as a sequence made from
//     Seed decides.
//   - Delay, Jitter, Break and Reply: what goes wrong. A Delay, with up to Jitter more, comes first. A
//     Fault that only delays lets other Faults hit the same call; one with none of the four answers
//     503 with a backendError.
type Fault = testserver.Fault

// Break is a way in which an exchange breaks.
type Break = testserver.Break

// The breaks. Those that come after the work are the dangerous ones: the mail is sent and the client
// is not told. In a part of a batch, which has no connection of its own, the breaks of a connection
// answer 503 to the part.
//
// The Transport of net/http repeats a GET by itself when a connection that it has used before ends
// without an answer; the repetition is a call like any other.
const (
	// CloseEarly resets the connection before the request's body is read. Nothing was done.
	CloseEarly = testserver.CloseEarly
	// CloseUnserved resets the connection when the whole request was read. Nothing was done.
	CloseUnserved = testserver.CloseUnserved
	// CloseServed does the work and resets the connection instead of answering.
	CloseServed = testserver.CloseServed
	// Hang does not answer until the client goes away or the server closes. Nothing was done.
	Hang = testserver.Hang
	// HangServed does the work and then behaves as Hang.
	HangServed = testserver.HangServed
	// Truncate does the work and answers half of the body, then the connection ends: the client
	// sees that something is missing.
	Truncate = testserver.Truncate
	// Shorten does the work and answers half of the body as if it were the whole.
	Shorten = testserver.Shorten
	// Empty does the work and answers with its status and no body.
	Empty = testserver.Empty
	// Replace does the work and answers the Fault's Reply, as a gateway does that has given up waiting.
	Replace = testserver.Replace
	// Phantoms serves the call and adds the ids of messages that do not exist to a list of messages:
	// a get of them is answered with 404, as with messages that went away since they were listed.
	Phantoms = testserver.Alter
)

// Injection is a Fault at work: Hits says how many calls it has hit, Remove ends it.
type Injection = testserver.Injection

// Fail makes calls go wrong from now on. Of several Faults that would hit a call the oldest does. A
// call that is refused for its token or by the limits may be hit as well. Fail panics when there is
// no such method.
func (s *Server) Fail(f Fault) *Injection {
	known := f.Method == "" || f.Method == string(methodToken) || f.Method == string(methodRevoke) ||
		slices.ContainsFunc(routes, func(r route) bool { return string(r.method) == f.Method })
	if !known {
		panic(fmt.Sprintf("gmailtest: no method %q", f.Method))
	}
	return s.faults.Fail(f)
}

// Heal ends all faults. Calls that hang go on hanging.
func (s *Server) Heal() { s.faults.Heal() }

// haunt adds two messages to a list that are nowhere else: one in front, one at the end.
func haunt(f Fault, method string, status int, body []byte) []byte {
	var list map[string]any
	if method != "messages.list" || status != http.StatusOK || json.Unmarshal(body, &list) != nil {
		return body
	}
	phantom := func(n uint64) any {
		// Times before Gmail began: no message has such an id.
		id := fmt.Sprintf("%016x", 0xdead<<32|(f.Seed+n)&0xffffffff)
		return map[string]string{"id": id, "threadId": id}
	}
	messages, _ := list["messages"].([]any)
	all := append([]any{phantom(0)}, messages...)
	list["messages"] = append(all, phantom(1))
	out, err := json.Marshal(list)
	if err != nil {
		return body
	}
	return out
}
