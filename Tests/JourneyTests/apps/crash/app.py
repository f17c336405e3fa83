import sys

for number in range(1, 81):
    print(f"line {number} of the app", flush=True)
sys.exit("KeyError: 'DATABASE_URL'")
