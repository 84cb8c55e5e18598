// Package outlookimport holds tests alone: whole imports from Outlook over HTTP into SQLite and blobs
// on disk, killed and counted. It is a package of its own so that no other test program links Graph's
// SDK.
package outlookimport
