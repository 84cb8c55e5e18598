package gate

import "sync"

// Accounts has one gate for each account. Gates are kept for good: an account that is opened again
// must not find its units unspent. They are small. The zero Accounts is empty; it is safe for
// concurrent use.
type Accounts struct {
	mu    sync.Mutex
	gates map[string]*Gate
}

// Gate returns the account's gate, made of c the first time.
func (a *Accounts) Gate(account string, c Config) *Gate {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.gates[account]
	if g == nil {
		if a.gates == nil {
			a.gates = make(map[string]*Gate)
		}
		g = New(c)
		a.gates[account] = g
	}
	return g
}
