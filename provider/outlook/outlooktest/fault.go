package outlooktest

import "github.com/workinbox/workinbox/provider/internal/testserver"

// Fault is something that goes wrong with calls. Which calls it hits is fixed by the calls alone, never
// by chance or by the clock: the same calls in the same order break in the same way. Its fields say:
//
//   - Method, Account and Match: which calls are meant, by default all. Method is a name as in Stats:
//     "messages.list", "token"; Account is an address, which calls of the token endpoint and whole batches
//     have not; Match must not read the body.
//   - Skip, Times, Rate and Seed: how many of them, by default the next one. Skip lets calls pass
//     first; a negative Times is no end; Rate hits that part of them, 0 to 1, as a sequence made from
//     Seed decides.
//   - Delay, Jitter, Break and Reply: what goes wrong. A Delay, with up to Jitter more, comes first. A
//     Fault that only delays lets other Faults hit the same call; one with none of the four answers
//     503 in JSON.
type Fault = testserver.Fault

// Break is a way in which an exchange breaks.
type Break = testserver.Break

// The breaks. Those that come after the work are the dangerous ones: the mail is sent and the client
// is not told. In a part of a batch, which has no connection of its own, the breaks of a connection
// answer 503 to the part.
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
)

// Injection is a Fault at work: Hits says how many calls it has hit, Remove ends it.
type Injection = testserver.Injection

// Fail makes calls go wrong from now on. Of several Faults that would hit a call the oldest does.
func (s *Server) Fail(f Fault) *Injection { return s.faults.Fail(f) }

// Heal ends all faults. Calls that hang go on hanging.
func (s *Server) Heal() { s.faults.Heal() }
