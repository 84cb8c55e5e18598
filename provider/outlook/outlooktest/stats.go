package outlooktest

// Stats is what a Server was asked so far.
type Stats struct {
	// Requests counts calls by the name of the method: "messages.list", "messages.delta", "token".
	// Parts of a batch count one by one; refused calls count as well.
	Requests map[string]int
	// Statuses counts answers by HTTP status, of the API's calls alone. Answers that a fault broke
	// may be missing.
	Statuses map[int]int
	// MaxInFlight is the most calls of the API that were in work at once, refused ones included.
	MaxInFlight int
	// DefaultIDs counts the calls for folders and messages that did not ask for immutable ids.
	DefaultIDs int
	// BytesOut is how many bytes of bodies the API answered.
	BytesOut int64
}

// Stats returns the figures so far; they are the caller's.
func (s *Server) Stats() Stats {
	c := s.stats.Stats()
	return Stats{
		Requests: c.Requests, Statuses: c.Statuses, MaxInFlight: c.MaxInFlight, BytesOut: c.BytesOut,
		DefaultIDs: int(s.defaultIDs.Load()),
	}
}

// ResetStats begins counting anew.
func (s *Server) ResetStats() {
	s.stats.Reset()
	s.defaultIDs.Store(0)
}
