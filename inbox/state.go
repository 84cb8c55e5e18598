package inbox

import (
	"errors"
	"fmt"
)

// State is where an inbox stands in its life (R-INB-13).
type State string

// The states.
const (
	StateDraft        State = "draft"
	StateConnecting   State = "connecting"
	StateImporting    State = "importing"
	StateActive       State = "active"
	StatePaused       State = "paused"
	StateNeedsReauth  State = "needs_reauth"
	StateDisconnected State = "disconnected"
	StateDeleted      State = "deleted"
)

// ErrInvalidState says that an inbox cannot make this move from where it stands.
var ErrInvalidState = errors.New("not possible in this state")

var moves = map[State][]State{
	StateDraft:        {StateConnecting},
	StateConnecting:   {StateImporting, StateActive},
	StateImporting:    {StateActive, StatePaused, StateNeedsReauth},
	StateActive:       {StatePaused, StateNeedsReauth},
	StatePaused:       {StateImporting, StateActive, StateNeedsReauth},
	StateNeedsReauth:  {StateImporting, StateActive, StatePaused},
	StateDisconnected: {StateConnecting},
	StateDeleted:      {StateDisconnected},
}

// Live says whether mail may be sent through the inbox: importing or active.
func (s State) Live() bool { return s == StateImporting || s == StateActive }

// To returns the next state, or an error matching ErrInvalidState. Disconnecting is possible from
// every state but deleted, deleting from every state.
func (s State) To(next State) (State, error) {
	if next == StateDeleted && s != StateDeleted {
		return next, nil
	}
	if next == StateDisconnected && s != StateDeleted && s != StateDisconnected {
		return next, nil
	}
	for _, n := range moves[s] {
		if n == next {
			return next, nil
		}
	}
	return s, fmt.Errorf("inbox is %s, cannot become %s: %w", s, next, ErrInvalidState)
}
