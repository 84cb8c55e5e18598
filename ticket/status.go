package ticket

// Status is a ticket's status: one of the six built-in ones, or a site's own code (R-STA-01).
type Status string

// The built-in statuses.
const (
	Active  Status = "active"
	Waiting Status = "waiting"
	OnHold  Status = "on-hold"
	Solved  Status = "solved"
	Closed  Status = "closed"
	Spam    Status = "spam"
)

// BuiltIn says whether the status is one of the six that every site has.
func (s Status) BuiltIn() bool {
	switch s {
	case Active, Waiting, OnHold, Solved, Closed, Spam:
		return true
	}
	return false
}

// Done says whether the status ends the work: solved or closed.
func (s Status) Done() bool { return s == Solved || s == Closed }
