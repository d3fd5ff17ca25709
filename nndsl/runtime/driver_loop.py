"""The loop over steps and calls: one machine-code function for every program.

    int64 nndsl_run(table, count, sizes, control, thread, threads, steps)

`table` holds `count` records of `RECORD` 64-bit integers (fields below); `sizes` is the thread's
own table of run-time sizes (`codegen.program.SIZES`), which this loop moves on from step to step;
`control` is shared by the threads. It returns the steps done: fewer than asked when the watched
number was not finite (then `control[STOP]` is 1 and the last step done is the one that made it so).

A step in words::

    wait for the other threads; stop if one asked to
    N = min(batch, epoch_rows - first_row);  clock = (step, epoch)
    for each call: wait if it must; call kernel(slots, sizes, low, high) with this thread's share
    step += 1;  first_row += batch, or back to 0 and epoch += 1
    thread 0: is the watched number still finite?

A thread waits by counting itself in and spinning on the number of the meeting; after `SPINS`
looks it gives way to other programs at every look.
"""

from __future__ import annotations

RECORD = 8
FUNCTION, SLOTS, FACTOR, SYMBOL, SPLIT, ALIGN, BARRIER = range(7)
"""Fields of a record: address of the kernel, of its slots; the extent `factor * sizes[symbol]`;
how it is shared (0 rows, 1 own extent, 2 thread 0 alone); what shares start at multiples of;
whether all wait before it."""

STOP, ARRIVED, MEETING = 0, 8, 16
WATCH, WATCH_DOUBLE, BATCH, EPOCH_ROWS, CLOCKS = 24, 25, 26, 27, 32
"""Places in `control`, which is 64-byte aligned: the first three on lines of their own; then
the address of the watched number (0: none), whether it is float64, rows of a batch, rows of an
epoch (fewer than the data has where a smaller last batch is dropped), and from `CLOCKS` on the
address of each thread's clock."""

SPINS = 2000
NAME = "nndsl_run"
PREDICT = "nndsl_predict"
"""One step by thread 0 alone on the rows of a NumPy array, if that is as `arguments` say: 1 if so.

It reads the array's own fields, whose order NumPy's C interface fixes (numpy/ndarraytypes.h: data,
nd, dimensions, strides, base, descr, flags): asking for them in Python takes longer than a small
network's step. `runtime.predicting` fills in the arguments and checks them on an array first."""

KIND, ELEMENT, HEAD, AXES, SHAPE, PLACES = range(4, 10)
"""In the arguments, behind the first four of `nndsl_run`: addresses of the array's type and of its
element type, bytes of an object's head, number of axes, address of their sizes, how many slots
point to the rows; then the addresses of these slots."""

MAXIMUM_THREADS = 256
CONTROL_SIZE = CLOCKS + MAXIMUM_THREADS

_TEXT = """
declare i32 @nndsl_yield()

define internal void @meet(ptr %control, i64 %threads) nounwind {
entry:
  %arrived = getelementptr i64, ptr %control, i64 {ARRIVED}
  %meeting = getelementptr i64, ptr %control, i64 {MEETING}
  %number = load atomic i64, ptr %meeting acquire, align 8
  %before = atomicrmw add ptr %arrived, i64 1 acq_rel
  %others = sub i64 %threads, 1
  %last = icmp eq i64 %before, %others
  br i1 %last, label %open, label %spin
open:
  store atomic i64 0, ptr %arrived release, align 8
  %next = add i64 %number, 1
  store atomic i64 %next, ptr %meeting release, align 8
  ret void
spin:
  %looks = phi i64 [ 0, %entry ], [ %more, %look ], [ %looks, %yield ]
  %seen = load atomic i64, ptr %meeting acquire, align 8
  %same = icmp eq i64 %seen, %number
  br i1 %same, label %look, label %done
look:
  %more = add i64 %looks, 1
  %patient = icmp ult i64 %looks, {SPINS}
  br i1 %patient, label %spin, label %yield
yield:
  %ignored = call i32 @nndsl_yield()
  br label %spin
done:
  ret void
}

define i64 @nndsl_run(ptr noalias %table, i64 %count, ptr noalias %sizes, ptr %control,
                      i64 %thread, i64 %threads, i64 %steps) nounwind {
entry:
  %rows_here = getelementptr i64, ptr %sizes, i64 1
  %step_at = getelementptr i64, ptr %sizes, i64 2
  %epoch_at = getelementptr i64, ptr %sizes, i64 3
  %first_row_at = getelementptr i64, ptr %sizes, i64 4
  %stop_at = getelementptr i64, ptr %control, i64 {STOP}
  %watch_at = getelementptr i64, ptr %control, i64 {WATCH}
  %watch = load i64, ptr %watch_at
  %double_at = getelementptr i64, ptr %control, i64 {WATCH_DOUBLE}
  %double = load i64, ptr %double_at
  %batch_at = getelementptr i64, ptr %control, i64 {BATCH}
  %batch = load i64, ptr %batch_at
  %clock_index = add i64 %thread, {CLOCKS}
  %clock_at = getelementptr i64, ptr %control, i64 %clock_index
  %clock_address = load i64, ptr %clock_at
  %clock = inttoptr i64 %clock_address to ptr
  %epoch_clock = getelementptr double, ptr %clock, i64 1
  %epoch_rows_at = getelementptr i64, ptr %control, i64 {EPOCH_ROWS}
  %epoch_rows = load i64, ptr %epoch_rows_at
  %several = icmp ugt i64 %threads, 1
  %watched = icmp ne i64 %watch, 0
  %first_thread = icmp eq i64 %thread, 0
  %checks = and i1 %watched, %first_thread
  br label %next_step
next_step:
  %done = phi i64 [ 0, %entry ], [ %done_now, %finish ]
  %over = icmp sge i64 %done, %steps
  br i1 %over, label %leave, label %begin
begin:
  br i1 %several, label %gather, label %prepare
gather:
  call void @meet(ptr %control, i64 %threads)
  %stop = load atomic i64, ptr %stop_at acquire, align 8
  %stopping = icmp ne i64 %stop, 0
  br i1 %stopping, label %leave, label %prepare
prepare:
  %first_row = load i64, ptr %first_row_at
  %left = sub i64 %epoch_rows, %first_row
  %short = icmp slt i64 %left, %batch
  %rows = select i1 %short, i64 %left, i64 %batch
  store i64 %rows, ptr %rows_here
  %step = load i64, ptr %step_at
  %epoch = load i64, ptr %epoch_at
  %step_number = sitofp i64 %step to double
  %epoch_number = sitofp i64 %epoch to double
  store double %step_number, ptr %clock
  store double %epoch_number, ptr %epoch_clock
  br label %next_call
next_call:
  %index = phi i64 [ 0, %prepare ], [ %index_next, %called ]
  %record = phi ptr [ %table, %prepare ], [ %record_next, %called ]
  %end = icmp sge i64 %index, %count
  br i1 %end, label %move_on, label %enter
enter:
  %factor_at = getelementptr i64, ptr %record, i64 {FACTOR}
  %factor = load i64, ptr %factor_at
  %symbol_at = getelementptr i64, ptr %record, i64 {SYMBOL}
  %symbol = load i64, ptr %symbol_at
  %size_at = getelementptr i64, ptr %sizes, i64 %symbol
  %size = load i64, ptr %size_at
  %extent = mul i64 %factor, %size
  br i1 %several, label %share, label %run
share:
  %barrier_at = getelementptr i64, ptr %record, i64 {BARRIER}
  %barrier = load i64, ptr %barrier_at
  %waits = icmp ne i64 %barrier, 0
  br i1 %waits, label %wait, label %divide
wait:
  call void @meet(ptr %control, i64 %threads)
  br label %divide
divide:
  %split_at = getelementptr i64, ptr %record, i64 {SPLIT}
  %split = load i64, ptr %split_at
  %alone = icmp eq i64 %split, 2
  br i1 %alone, label %single, label %portion
single:
  br i1 %first_thread, label %run, label %called
portion:
  %align_at = getelementptr i64, ptr %record, i64 {ALIGN}
  %align = load i64, ptr %align_at
  %padded = add i64 %extent, %align
  %rounded = sub i64 %padded, 1
  %tiles = udiv i64 %rounded, %align
  %low_product = mul i64 %tiles, %thread
  %low_tile = udiv i64 %low_product, %threads
  %high_product = add i64 %low_product, %tiles
  %high_tile = udiv i64 %high_product, %threads
  %low_share = mul i64 %low_tile, %align
  %high_share = mul i64 %high_tile, %align
  %beyond = icmp ugt i64 %high_share, %extent
  %high_cut = select i1 %beyond, i64 %extent, i64 %high_share
  %none = icmp uge i64 %low_share, %high_cut
  br i1 %none, label %called, label %run
run:
  %low = phi i64 [ 0, %enter ], [ 0, %single ], [ %low_share, %portion ]
  %high = phi i64 [ %extent, %enter ], [ %extent, %single ], [ %high_cut, %portion ]
  %function = load ptr, ptr %record
  %slots_at = getelementptr i64, ptr %record, i64 {SLOTS}
  %slots = load ptr, ptr %slots_at
  call void %function(ptr %slots, ptr %sizes, i64 %low, i64 %high)
  br label %called
called:
  %index_next = add i64 %index, 1
  %record_next = getelementptr i64, ptr %record, i64 {RECORD}
  br label %next_call
move_on:
  %step_next = add i64 %step, 1
  store i64 %step_next, ptr %step_at
  %row_next = add i64 %first_row, %batch
  %epoch_ends = icmp sge i64 %row_next, %epoch_rows
  %row_kept = select i1 %epoch_ends, i64 0, i64 %row_next
  store i64 %row_kept, ptr %first_row_at
  %one_more = zext i1 %epoch_ends to i64
  %epoch_next = add i64 %epoch, %one_more
  store i64 %epoch_next, ptr %epoch_at
  br i1 %checks, label %check, label %finish
check:
  %wide = icmp ne i64 %double, 0
  %watch_pointer = inttoptr i64 %watch to ptr
  br i1 %wide, label %check_double, label %check_single
check_double:
  %d = load double, ptr %watch_pointer
  %d_zero = fsub double %d, %d
  %d_fine = fcmp oeq double %d_zero, 0.0
  br i1 %d_fine, label %finish, label %halt
check_single:
  %f = load float, ptr %watch_pointer
  %f_zero = fsub float %f, %f
  %f_fine = fcmp oeq float %f_zero, 0.0
  br i1 %f_fine, label %finish, label %halt
halt:
  store atomic i64 1, ptr %stop_at release, align 8
  br i1 %several, label %finish, label %halted
halted:
  %done_halted = add i64 %done, 1
  ret i64 %done_halted
finish:
  %done_now = add i64 %done, 1
  br label %next_step
leave:
  ret i64 %done
}

define i64 @nndsl_predict(ptr %arguments, ptr %array) nounwind {
entry:
  %head_at = getelementptr i64, ptr %arguments, i64 {HEAD}
  %head = load i64, ptr %head_at
  %fields = getelementptr i8, ptr %array, i64 %head
  %kind_at = getelementptr i64, ptr %fields, i64 -1
  %kind = load i64, ptr %kind_at
  %wanted_kind_at = getelementptr i64, ptr %arguments, i64 {KIND}
  %wanted_kind = load i64, ptr %wanted_kind_at
  %same_kind = icmp eq i64 %kind, %wanted_kind
  br i1 %same_kind, label %is_array, label %refuse
is_array:
  %element_at = getelementptr i64, ptr %fields, i64 5 ; data, nd, sizes, strides, base: 0 to 4
  %element = load i64, ptr %element_at
  %wanted_element_at = getelementptr i64, ptr %arguments, i64 {ELEMENT}
  %wanted_element = load i64, ptr %wanted_element_at
  %same_element = icmp eq i64 %element, %wanted_element
  %flags_at = getelementptr i64, ptr %fields, i64 6
  %flags = load i32, ptr %flags_at
  %plain_flags = and i32 %flags, 257
  %plain = icmp eq i32 %plain_flags, 257
  %axes_at = getelementptr i64, ptr %fields, i64 1
  %axes_number = load i32, ptr %axes_at
  %axes = zext i32 %axes_number to i64
  %wanted_axes_at = getelementptr i64, ptr %arguments, i64 {AXES}
  %wanted_axes = load i64, ptr %wanted_axes_at
  %same_axes = icmp eq i64 %axes, %wanted_axes
  %both = and i1 %same_element, %plain
  %all = and i1 %both, %same_axes
  br i1 %all, label %measure, label %refuse
measure:
  %shape_at = getelementptr i64, ptr %fields, i64 2
  %shape = load ptr, ptr %shape_at
  %wanted_shape_at = getelementptr i64, ptr %arguments, i64 {SHAPE}
  %wanted_shape = load ptr, ptr %wanted_shape_at
  br label %axis
axis:
  %number = phi i64 [ 0, %measure ], [ %number_next, %same_size ]
  %measured = icmp sge i64 %number, %axes
  br i1 %measured, label %point, label %compare
compare:
  %size_at = getelementptr i64, ptr %shape, i64 %number
  %size = load i64, ptr %size_at
  %wanted_size_at = getelementptr i64, ptr %wanted_shape, i64 %number
  %wanted_size = load i64, ptr %wanted_size_at
  %fits = icmp eq i64 %size, %wanted_size
  br i1 %fits, label %same_size, label %refuse
same_size:
  %number_next = add i64 %number, 1
  br label %axis
point:
  %data = load i64, ptr %fields
  %count_at = getelementptr i64, ptr %arguments, i64 {PLACES}
  %count = load i64, ptr %count_at
  br label %place
place:
  %done = phi i64 [ 0, %point ], [ %done_next, %set ]
  %pointed = icmp sge i64 %done, %count
  br i1 %pointed, label %go, label %set
set:
  %done_next = add i64 %done, 1
  %slot_at = getelementptr i64, ptr %count_at, i64 %done_next
  %slot = load ptr, ptr %slot_at
  store i64 %data, ptr %slot
  br label %place
go:
  %p1 = getelementptr i64, ptr %arguments, i64 1
  %p2 = getelementptr i64, ptr %arguments, i64 2
  %p3 = getelementptr i64, ptr %arguments, i64 3
  %table = load ptr, ptr %arguments
  %calls = load i64, ptr %p1
  %sizes = load ptr, ptr %p2
  %control = load ptr, ptr %p3
  %steps = call i64 @nndsl_run(ptr %table, i64 %calls, ptr %sizes, ptr %control,
                               i64 0, i64 1, i64 1)
  ret i64 1
refuse:
  ret i64 0
}
"""


def llvm_text() -> str:
    """The loop as LLVM IR."""
    places = {
        "RECORD": RECORD, "SLOTS": SLOTS, "FACTOR": FACTOR, "SYMBOL": SYMBOL, "SPLIT": SPLIT,
        "ALIGN": ALIGN, "BARRIER": BARRIER, "STOP": STOP, "ARRIVED": ARRIVED, "MEETING": MEETING,
        "WATCH": WATCH, "WATCH_DOUBLE": WATCH_DOUBLE, "BATCH": BATCH, "EPOCH_ROWS": EPOCH_ROWS,
        "CLOCKS": CLOCKS,
        "SPINS": SPINS, "KIND": KIND, "ELEMENT": ELEMENT, "HEAD": HEAD, "AXES": AXES,
        "SHAPE": SHAPE, "PLACES": PLACES,
    }  # fmt: skip
    text = _TEXT
    for name, place in places.items():
        text = text.replace("{" + name + "}", str(place))
    return text
