package seal_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage/seal"
)

func Example() {
	ctx := context.Background()
	inner := newPlainVault() // any inbox.Vault: of a database, of memory
	name := inbox.VaultKey{Inbox: "in-7", Use: inbox.UseMailbox}

	// A host reads its keys from where it keeps secrets; 32 random bytes each.
	first, _ := seal.NewKey("2026-01", bytes.Repeat([]byte{1}, seal.KeySize))
	keys, _ := seal.StaticKeys(first)
	v := seal.New(inner, keys)
	_, _ = v.SaveCredential(ctx, name, provider.NewCredential([]byte("refresh-token")), 0)
	fmt.Println("inside in the clear:", bytes.Contains(inner.raw(name), []byte("refresh-token")))

	// Later: a second key for new writes, and the older one until every record has moved.
	second, _ := seal.NewKey("2026-07", bytes.Repeat([]byte{2}, seal.KeySize))
	keys, _ = seal.StaticKeys(second, first)
	v = seal.New(inner, keys)
	moved, err := v.Rotate(ctx, name)
	fmt.Println("moved:", moved, err)
	cred, version, err := v.Credential(ctx, name)
	fmt.Println(string(cred.Reveal()), version, err)
	fmt.Println(cred, second)

	// Output:
	// inside in the clear: false
	// moved: true <nil>
	// refresh-token 2 <nil>
	// [redacted] key "2026-07" [redacted]
}
