package storagetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

func checkForeignSecrets(b *vaults) {
	saveSecret(b, inbox.VaultKey{Inbox: "a", Use: "a"}, "token", 0)
	secret := func(key func(x string) inbox.VaultKey) func(x string) (int, error) {
		return func(x string) (int, error) {
			_, version, err := b.s.Credential(b.Context(), key(x))
			return one(version, err)
		}
	}
	ofInbox := func(x string) inbox.VaultKey { return inbox.VaultKey{Inbox: inbox.ID(x), Use: "a"} }
	ofUse := func(x string) inbox.VaultKey { return inbox.VaultKey{Inbox: "a", Use: inbox.VaultUse(x)} }
	checkFindings(b, []finding{by("secret of inbox", secret(ofInbox)), by("secret for the use", secret(ofUse))})
	late := provider.NewCredential([]byte("late"))
	for _, x := range unheld {
		for _, k := range []inbox.VaultKey{ofInbox(x), ofUse(x)} {
			ok(b, fmt.Sprintf("delete the secret of %q", k), b.s.DeleteCredential(b.Context(), k))
			_, err := b.s.SaveCredential(b.Context(), k, late, 1)
			refused(b, fmt.Sprintf("replace the secret of %q, which is not there", k), err, storage.ErrConflict)
		}
	}
	wantSecret(b, inbox.VaultKey{Inbox: "a", Use: "a"}, "token", 1)
	checkWritings(b, []writing{{"secret of inbox", func(x string) error {
		_, err := b.s.SaveCredential(b.Context(), ofInbox(x), late, 0)
		return err
	}, secret(ofInbox)}}, func() any { return nil })
	wantSecret(b, inbox.VaultKey{Inbox: "a", Use: "a"}, "token", 1)
}

func checkForeignBlobs(b *blobs) {
	key := putBlob(b, "a", "raw").Key
	hash := strings.TrimPrefix(string(key), "a/")
	open := func(of func(x string) string) func(x string) (int, error) {
		return func(x string) (int, error) {
			r, err := b.s.OpenBlob(b.Context(), inbox.BlobKey(of(x)))
			if err == nil {
				err = r.Close()
			}
			return one(r, err)
		}
	}
	ofInbox := open(func(x string) string { return x + "/" + hash })
	listed := func(x string) (int, error) { return length(b.s.Blobs(b.Context(), inbox.ID(x))) }
	checkFindings(b, []finding{
		by("blob of inbox", ofInbox), by("blobs of inbox", listed),
		{what: "blob with the end", find: open(func(x string) string { return string(key) + x })},
		{what: "blob with the beginning", find: open(func(x string) string { return x + string(key) })},
		{what: "blob", find: open(func(x string) string { return x })},
	})
	for _, x := range slices.Concat(unheld, near) {
		for _, k := range []string{x, x + "/" + hash, string(key) + x} {
			ok(b, fmt.Sprintf("delete the blob %.40q", k), b.s.DeleteBlob(b.Context(), inbox.BlobKey(k)))
		}
	}
	checkWritings(b, []writing{{"blob of inbox", func(x string) error {
		_, err := b.s.PutBlob(b.Context(), inbox.ID(x), strings.NewReader("raw"))
		return err
	}, ofInbox}}, func() any { return nil })
	equal(b, "blobs after all that", blobKeys(b, "a"), []inbox.BlobKey{key})
}
