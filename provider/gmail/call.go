package gmail

import (
	"context"

	"github.com/workinbox/workinbox/provider/internal/gate"
)

// opSend names the call that needs the scope to send.
const opSend = "messages.send"

// call makes one call of the API that may be repeated, through the gate, and maps its error to one
// of package provider. op names it for the operator: "messages.get". units is its price. do is
// called again after a refusal, so it must set its results anew each time.
//
// A 404 is a provider.ErrGone, whatever the call was of; failure.Status tells 404 and 400 apart. What
// the service could not do now, after the gate has waited and tried again, is a *provider.RetryError.
func (m *mailbox) call(ctx context.Context, lane gate.Lane, op string, units int, do func(context.Context) error) error {
	return m.gate.Do(ctx, lane, units, func(ctx context.Context) error {
		return repeatable(ctx, op, do(ctx))
	})
}

// callOnce is call for what must not happen twice: only what the service refused outright before it
// did anything is repeated. do says besides whether anything of the request left.
func (m *mailbox) callOnce(
	ctx context.Context, lane gate.Lane, op string, units int, do func(context.Context) (left bool, err error),
) error {
	return m.gate.Do(ctx, lane, units, func(ctx context.Context) error {
		left, err := do(ctx)
		return unrepeatable(ctx, op, left, err)
	})
}
