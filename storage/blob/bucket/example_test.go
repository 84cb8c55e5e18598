package bucket_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/memblob" // or s3blob, gcsblob, azureblob

	"github.com/workinbox/workinbox/storage/blob/bucket"
)

func ExampleOpen() {
	ctx := context.Background()
	b, err := blob.OpenBucket(ctx, "mem://") // "s3://agency-mail?region=eu-central-1"
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	s, err := bucket.Open(ctx, b, bucket.Options{Prefix: "mail/"})
	if err != nil {
		fmt.Println(err)
		return
	}

	info, _ := s.PutBlob(ctx, "in-7", strings.NewReader("Subject: hello\r\n\r\nworld\r\n"))
	fmt.Println(info.Key, info.Size)

	r, _ := s.OpenBlob(ctx, info.Key)
	defer r.Close()
	raw, err := io.ReadAll(r)
	fmt.Printf("%q %v\n", raw, err)

	// Output:
	// in-7/463e4146163a580de540ab68b959a9f38e1d7d41d474f7a430c9268ec98a83c6 25
	// "Subject: hello\r\n\r\nworld\r\n" <nil>
}
