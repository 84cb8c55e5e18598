package blob_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/workinbox/workinbox/storage/blob"
)

func ExampleOpen() {
	ctx := context.Background()
	dir, _ := os.MkdirTemp("", "blobs")
	defer os.RemoveAll(dir)
	d, err := blob.Open(dir, blob.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()

	info, _ := d.PutBlob(ctx, "in-7", strings.NewReader("Subject: hello\r\n\r\nworld\r\n"))
	fmt.Println(info.Key, info.Size)
	fmt.Println("durable:", d.SyncBlobs(ctx, "in-7") == nil)

	r, _ := d.OpenBlob(ctx, info.Key)
	defer r.Close()
	raw, err := io.ReadAll(r)
	fmt.Printf("%q %v\n", raw, err)

	// Output:
	// in-7/463e4146163a580de540ab68b959a9f38e1d7d41d474f7a430c9268ec98a83c6 25
	// durable: true
	// "Subject: hello\r\n\r\nworld\r\n" <nil>
}
