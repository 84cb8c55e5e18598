//go:build unix

package importtest_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

// The most memory an import may hold, in MiB, and how much more with one big mail among the others.
const (
	mostMemory    = 64
	mostForBigOne = 8
)

// BenchmarkImportMemory imports in a process of its own, and fails when that ever held more than it
// may. It has to be flat: run it with WORKINBOX_BENCH_MESSAGES=100000 too.
func BenchmarkImportMemory(b *testing.B) {
	for _, messages := range []int{5_000, importtest.EnvInt("WORKINBOX_BENCH_MESSAGES", 20_000)} {
		b.Run(fmt.Sprint(messages), func(b *testing.B) {
			path, mail := importtest.WriteMail(b, mailgen.Config{Seed: 4, Messages: messages})
			for range b.N {
				peak := importPeak(b, path, mail, messages)
				b.ReportMetric(peak, "peak-MiB")
				require.LessOrEqual(b, peak, float64(mostMemory))
			}
		})
	}
	b.Run("with 40 MB", func(b *testing.B) {
		const messages = 500
		path, mail := importtest.WriteMail(b, mailgen.Config{Seed: 4, Messages: messages})
		without := importPeak(b, path, mail, messages)
		appendBigMail(b, path, mail.Config().Owner)
		for range b.N {
			peak := importPeak(b, path, mail, messages+1)
			b.ReportMetric(peak, "peak-MiB")
			b.ReportMetric(peak-without, "more-MiB")
			require.LessOrEqual(b, peak-without, float64(mostForBigOne))
		}
	})
}

// importPeak imports in a child process and returns the most memory that held, in MiB.
func importPeak(b *testing.B, path string, mail *mailgen.Mailbox, messages int) float64 {
	report, lived := importtest.Run(b, importtest.NewJob(b, path, mail, 100))
	require.True(b, lived)
	require.Equal(b, messages, report.Run.Stored)
	return report.PeakRSS
}

// appendBigMail appends a mail with an attachment of 40 MiB as it is sent.
func appendBigMail(b *testing.B, path, owner string) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(b, err)
	_, err = fmt.Fprintf(f, "From x@y.example Sun Mar  1 12:00:00 2026\nFrom: x@y.example\nTo: %s\nSubject: big\n"+
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nbig\n--b\n"+
		"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n", owner)
	require.NoError(b, err)
	line := append(bytes.Repeat([]byte("QUJD"), 19), '\n')
	for range 40 << 20 / len(line) {
		_, err = f.Write(line)
		require.NoError(b, err)
	}
	_, err = fmt.Fprint(f, "--b--\n\n")
	require.NoError(b, err)
	require.NoError(b, f.Close())
}
