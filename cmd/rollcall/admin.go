package main

type adminCmd struct{}
