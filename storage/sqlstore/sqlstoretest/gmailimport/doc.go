// Package gmailimport holds tests alone: whole imports from Gmail over HTTP into SQLite and blobs on
// disk, killed and counted, and what they cost beside the import of the same mail from an mbox. It is
// a package of its own so that no other test program links the client.
package gmailimport
