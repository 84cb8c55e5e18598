package rfc822_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// floorWalk reads a message the way go-message does it: every part decoded, nothing kept.
func floorWalk(raw []byte) error {
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return floorEntity(e)
}

func floorEntity(e *message.Entity) error {
	mr := e.MultipartReader()
	if mr == nil {
		_, err := io.Copy(io.Discard, e.Body)
		return err
	}
	for {
		part, err := mr.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := floorEntity(part); err != nil {
			return err
		}
	}
}

// BenchmarkParse compares Parse with the walk and decode of go-message on the messages that
// go-message accepts, alternating, and reports the median ratio of five rounds.
func BenchmarkParse(b *testing.B) {
	var accepted []sample
	size := 0
	for _, s := range everything(b) {
		if floorWalk(s.raw) == nil {
			accepted = append(accepted, s)
			size += len(s.raw)
		}
	}
	parseAll := func() {
		for _, s := range accepted {
			if _, err := rfc822.Parse(bytes.NewReader(s.raw), rfc822.Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	floorAll := func() {
		for _, s := range accepted {
			if err := floorWalk(s.raw); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(size))
		for b.Loop() {
			parseAll()
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(accepted)), "us/message")
	})
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(size))
		for b.Loop() {
			floorAll()
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(accepted)), "us/message")
	})
	b.Run("ratio", func(b *testing.B) {
		var ratios []float64
		for range 5 {
			began := time.Now()
			floorAll()
			floor := time.Since(began)
			began = time.Now()
			parseAll()
			ratios = append(ratios, float64(time.Since(began))/float64(floor))
		}
		slices.Sort(ratios)
		for b.Loop() {
			continue
		}
		b.ReportMetric(ratios[2], "x-floor")
		b.ReportMetric(float64(len(accepted)), "messages")
	})
}
