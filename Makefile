.PHONY: run test bench

# The platform on 127.0.0.1:8080 with its data in .moorage/. MOOR_… variables override config/moorage.yaml.
run:
	@config/install-packages run
	swift build -c release --product moor
	@exec .build/release/moor serve --config config/moorage.yaml

# Every test there is: format, unit tests, journeys.
test:
	@config/install-packages run test
	@Tests/in-scope Tests/run

# Ratios against other software in the same run: a table, and .build/bench.json.
bench:
	@config/install-packages run bench
	swift build -c release --product moor
	@Tests/in-scope Tests/python Tests/Bench/bench.py
