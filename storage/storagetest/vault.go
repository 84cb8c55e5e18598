package storagetest

import (
	"bytes"
	"context"
	"fmt"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

var vaultChecks = []check[inbox.Vault]{
	{"Vault/RoundTrip", checkVaultRoundTrip},
	{"Vault/NotFound", checkVaultNotFound},
	{"Vault/CompareAndSet", checkCompareAndSet},
	{"Vault/SecretsSeparate", checkSecretsSeparate},
	{"Vault/DeleteForgets", checkVaultDelete},
	{"Vault/ConflictExactlyOneWins", checkVaultRace},
	{"Vault/OthersFindNothing", checkForeignSecrets},
}

type vaults = bench[inbox.Vault]

func saveSecret(b *vaults, k inbox.VaultKey, secret string, expect storage.Version) storage.Version {
	b.Helper()
	v, err := b.s.SaveCredential(b.Context(), k, provider.NewCredential([]byte(secret)), expect)
	ok(b, fmt.Sprintf("save the %s secret of %q", k.Use, k.Inbox), err)
	return v
}

func wantSecret(b *vaults, k inbox.VaultKey, secret string, version storage.Version) {
	b.Helper()
	cred, v, err := b.s.Credential(b.Context(), k)
	ok(b, fmt.Sprintf("read the %s secret of %q", k.Use, k.Inbox), err)
	if string(cred.Reveal()) != secret || v != version {
		b.Errorf("%s secret of %q: got %d bytes of version %d, want the %d bytes saved, of version %d",
			k.Use, k.Inbox, len(cred.Reveal()), v, len(secret), version)
	}
}

func checkVaultRoundTrip(b *vaults) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	k, version := inbox.VaultKey{Inbox: "in-1", Use: inbox.UseMailbox}, storage.Version(0)
	for _, secret := range []string{
		"token", string(every), string(bytes.Repeat([]byte("long "), 20_000)),
	} {
		got := saveSecret(b, k, secret, version)
		if version++; got != version {
			b.Errorf("save: got version %d, want %d", got, version)
		}
		wantSecret(b, k, secret, version)
	}
}

func checkVaultNotFound(b *vaults) {
	saveSecret(b, inbox.VaultKey{Inbox: "in-1", Use: inbox.UseMailbox}, "token", 0)
	for _, k := range []inbox.VaultKey{
		{Inbox: "in-2", Use: inbox.UseMailbox}, {Inbox: "in-1", Use: inbox.UseConsent},
		{Inbox: "IN-1", Use: inbox.UseMailbox},
	} {
		_, _, err := b.s.Credential(b.Context(), k)
		refused(b, fmt.Sprintf("read the %s secret of %q", k.Use, k.Inbox), err, storage.ErrNotFound)
	}
}

func checkCompareAndSet(b *vaults) {
	k := inbox.VaultKey{Inbox: "in-1", Use: inbox.UseMailbox}
	late := provider.NewCredential([]byte("late"))
	_, err := b.s.SaveCredential(b.Context(), k, late, 1)
	refused(b, "replace a secret that is not there", err, storage.ErrConflict)
	_, _, err = b.s.Credential(b.Context(), k)
	refused(b, "read a secret after a refused write", err, storage.ErrNotFound)
	saveSecret(b, k, "two", saveSecret(b, k, "one", 0))
	for _, v := range []storage.Version{0, 1, 3} {
		_, err := b.s.SaveCredential(b.Context(), k, late, v)
		refused(b, fmt.Sprintf("replace version %d of a secret of version 2", v), err, storage.ErrConflict)
	}
	wantSecret(b, k, "two", 2)
}

func checkSecretsSeparate(b *vaults) {
	keys := []inbox.VaultKey{
		{Inbox: "in-1", Use: inbox.UseMailbox}, {Inbox: "in-1", Use: inbox.UseConsent},
		{Inbox: "in-2", Use: inbox.UseMailbox}, {Inbox: "In-1", Use: inbox.UseMailbox},
	}
	for i, k := range keys {
		saveSecret(b, k, fmt.Sprint("secret ", i), 0)
	}
	for i, k := range keys {
		wantSecret(b, k, fmt.Sprint("secret ", i), 1)
	}
	ok(b, "delete a secret", b.s.DeleteCredential(b.Context(), keys[0]))
	for i, k := range keys[1:] {
		wantSecret(b, k, fmt.Sprint("secret ", i+1), 1)
	}
}

func checkVaultDelete(b *vaults) {
	k := inbox.VaultKey{Inbox: "in-1", Use: inbox.UseMailbox}
	ok(b, "delete a secret that is not there", b.s.DeleteCredential(b.Context(), k))
	saveSecret(b, k, "two", saveSecret(b, k, "one", 0))
	ok(b, "delete", b.s.DeleteCredential(b.Context(), k))
	_, _, err := b.s.Credential(b.Context(), k)
	refused(b, "read a deleted secret", err, storage.ErrNotFound)
	ok(b, "delete again", b.s.DeleteCredential(b.Context(), k))
	_, err = b.s.SaveCredential(b.Context(), k, provider.NewCredential([]byte("late")), 2)
	refused(b, "replace a deleted secret", err, storage.ErrConflict)
	saveSecret(b, k, "three", 0)
}

func checkVaultRace(b *vaults) {
	k := inbox.VaultKey{Inbox: "in-1", Use: inbox.UseMailbox}
	for version := range storage.Version(2) {
		winner := race(b, fmt.Sprintf("SaveCredential on version %d", version), storage.ErrConflict,
			func(ctx context.Context, i int) error {
				_, err := b.s.SaveCredential(ctx, k, provider.NewCredential([]byte(fmt.Sprint(i))), version)
				return err
			})
		wantSecret(b, k, fmt.Sprint(winner), version+1)
	}
}
