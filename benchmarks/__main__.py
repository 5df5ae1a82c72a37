from benchmarks.compare import main

main(prog_name="python -m benchmarks")
