// Shows tides.csv as a table.
fetch("tides.csv").then(answer => answer.text()).then(text => {
    const rows = text.trim().split("\n").map(line => line.split(","));
    const table = document.querySelector("table");
    for (const [index, row] of rows.entries()) {
        const line = table.insertRow();
        for (const value of row) {
            const cell = document.createElement(index ? "td" : "th");
            cell.textContent = value;
            line.append(cell);
        }
    }
    document.getElementById("said").textContent = `${rows.length - 1} tides`;
});
