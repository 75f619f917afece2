module apiserver

go 1.26.0
