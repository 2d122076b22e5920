//go:build !linux

package process

import "errors"

var errNoPinning = errors.New("processes are pinned to cores on Linux only")

// Pin, PinTree, OnCores and Cores are errors here.
func Pin(int, ...int) error { return errNoPinning }

// PinTree is an error here.
func PinTree(int, ...int) error { return errNoPinning }

// OnCores is an error here.
func OnCores(func() error, ...int) error { return errNoPinning }

// Cores is an error here.
func Cores() ([]int, error) { return nil, errNoPinning }
