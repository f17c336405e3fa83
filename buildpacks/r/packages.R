# Installs the packages that /app asks for, inside its build: Debian's r-cran-… (and r-bioc-…) where there is one, the rest
# from CRAN. The platform's setting cran.url comes as MOOR_CRAN_URL.
#
# A line that begins with "moor-error: " is what the pusher is told, and one with "moor-hint: " what to do about it.

cran <- Sys.getenv("MOOR_CRAN_URL", "https://cloud.r-project.org")
options(repos = c(CRAN = cran), timeout = 120)
library_folder <- "/usr/local/lib/R/site-library"

say <- function(...) cat(..., "\n", sep = "")

stop_build <- function(error, hint) {
  say("moor-error: ", gsub("\\s+", " ", error))
  say("moor-hint: ", hint)
  quit(status = 1)
}

run <- function(...) system2("apt-get", c("--quiet=2", ...), stdout = TRUE, stderr = TRUE)

# "install.R line 3", for messages.
place_of <- function(file, package) {
  name <- gsub(".", "\\.", package, fixed = TRUE)
  wanted <- if (file == "renv.lock") paste0('"', name, '"\\s*:\\s*\\{') else paste0("(^|[^[:alnum:]._])", name, "($|[^[:alnum:]._])")
  found <- grep(wanted, sub("#.*", "", readLines(file, warn = FALSE), useBytes = TRUE), useBytes = TRUE)
  if (length(found)) paste0(file, " line ", found[[1]]) else file
}

# Package lists are in no layer, so they are fetched where something is looked for.
debian_known <- NULL
debian_names <- function(packages) {
  if (is.null(debian_known)) {
    # Left to itself apt-get thinks it no error that an archive cannot be reached.
    output <- run("-o", "APT::Update::Error-Mode=any", "update")
    if (!is.null(attr(output, "status"))) {
      writeLines(output)
      stop_build("Debian's package lists could not be fetched", "try again; if it stays so, the platform's admin must look at it")
    }
    debian_known <<- grep("^r-(cran|bioc)-", system2("apt-cache", c("pkgnames", "r-"), stdout = TRUE), value = TRUE)
  }
  sapply(tolower(packages), function(name) {
    names <- paste0(c("r-cran-", "r-bioc-"), name)
    found <- names[names %in% debian_known]
    if (length(found)) found[[1]] else ""
  })
}

# The name that is meant, where one is near enough: NULL otherwise.
# - known: names on CRAN. Debian's are without capitals, so they come after.
near <- function(package, known) {
  known <- c(known, sub("^r-[a-z]+-", "", debian_known))
  distance <- adist(package, known, ignore.case = TRUE)
  if (min(distance) <= max(1, nchar(package) %/% 3)) known[[which.min(distance)]] else NULL
}

installed <- function() rownames(installed.packages())

# Installs what is not there yet.
# - file: where they are asked for, for messages.
install <- function(packages, file) {
  missing <- setdiff(unique(packages), installed())
  if (!length(missing)) return(invisible())
  debian <- debian_names(missing)
  binary <- unname(debian[debian != ""])
  if (length(binary)) {
    output <- run("--yes", "--no-install-recommends", "install", binary)
    if (!is.null(attr(output, "status"))) {
      writeLines(tail(output, 20))
      stop_build(paste(file, "asks for", paste(binary, collapse = ", "), "which Debian could not install"), "the lines above are apt's own")
    }
    for (name in missing[debian != ""]) say(" + ", name, "=", as.character(packageVersion(name)), " (Debian)")
  }
  source <- setdiff(missing[debian == ""], installed())
  if (length(source)) install_from_cran(source, file)
}

install_from_cran <- function(packages, file) {
  available <- tryCatch(suppressWarnings(available.packages()), error = function(error) matrix(nrow = 0, ncol = 0))
  unknown <- setdiff(packages, rownames(available))
  guess <- if (length(unknown)) near(unknown[[1]], rownames(available)) else NULL
  if (!nrow(available) && is.null(guess)) {
    stop_build(
      paste0(
        place_of(file, packages[[1]]), ": Debian does not have ", paste(packages, collapse = ", "), ", and CRAN (",
        sub("//[^/@]*@", "//", cran), ") could not be reached"
      ),
      "take a package that Debian has (apt-cache search r-cran), or have the platform's admin let builds reach CRAN (cran.url)"
    )
  }
  if (length(unknown)) {
    stop_build(
      paste0(
        place_of(file, unknown[[1]]), ": there is no package ", paste(unknown, collapse = ", "), if (nrow(available)) " on CRAN" else " in Debian",
        if (!is.null(guess)) paste0(". Did you mean ", guess, "?")
      ),
      if (is.null(guess)) "check its name; a package that is only on GitHub cannot be taken" else paste("write", guess, "in its place")
    )
  }
  # What they stand on comes from Debian too, where it can.
  deeper <- unlist(tools::package_dependencies(packages, available, recursive = TRUE))
  deeper <- setdiff(deeper, installed())
  binary <- debian_names(deeper)
  if (any(binary != "")) run("--yes", "--no-install-recommends", "install", unname(binary[binary != ""]))
  wanted <- intersect(setdiff(c(packages, deeper), installed()), rownames(available))
  compiled <- wanted[available[wanted, "NeedsCompilation"] %in% "yes"]
  if (length(compiled) && Sys.which("gcc") == "") {
    stop_build(
      paste0(place_of(file, packages[[1]]), ": ", paste(compiled, collapse = ", "), " must be compiled, and there is no compiler"),
      "write r-base-dev into a file named apt-packages"
    )
  }
  say("installing from CRAN: ", paste(packages, collapse = ", "))
  folder <- tempfile("builds-")
  dir.create(folder)
  suppressWarnings(utils::install.packages(packages, lib = library_folder, quiet = TRUE, keep_outputs = folder))
  failed <- setdiff(packages, installed())
  if (length(failed)) {
    for (output in list.files(folder, "[.]out$", full.names = TRUE)) {
      lines <- readLines(output, warn = FALSE)
      if (any(grepl("ERROR", lines, fixed = TRUE))) writeLines(tail(lines, 20))
    }
    stop_build(
      paste0(place_of(file, failed[[1]]), ": ", paste(failed, collapse = ", "), " could not be built"),
      "the lines above are what its own build said"
    )
  }
  for (name in packages) say(" + ", name, "=", as.character(packageVersion(name)), " (CRAN)")
}

read_lock <- function(file) {
  locked <- tryCatch(jsonlite::fromJSON(file, simplifyVector = FALSE), error = function(error) NULL)
  if (is.null(locked)) {
    # Python tells the line.
    told <- suppressWarnings(system2("python3", c("-m", "json.tool", file, "/dev/null"), stdout = TRUE, stderr = TRUE))
    told <- Filter(length, regmatches(told, regexec("^(.*): line ([0-9]+) column", told)))
    stop_build(
      if (length(told)) paste0(file, " line ", told[[1]][[3]], " is not JSON: ", told[[1]][[2]]) else paste(file, "is not JSON"),
      "make it anew with renv::snapshot()"
    )
  }
  if (!is.list(locked) || !is.list(locked$Packages) || !all(vapply(locked$Packages, is.list, TRUE))) {
    stop_build(paste(file, "has no list of packages"), "make it anew with renv::snapshot()")
  }
  locked$Packages[setdiff(names(locked$Packages), "renv")]
}

setwd("/app")
if (file.exists("install.R")) {
  # Calls in install.R find this one before R's own.
  install.packages <- function(pkgs, ...) install(pkgs, "install.R")
  result <- tryCatch(source("install.R", local = globalenv()), error = function(error) error)
  if (inherits(result, "error")) {
    unread <- regmatches(conditionMessage(result), regexec("^install[.]R:([0-9]+):[0-9]+: ([^\n]*)", conditionMessage(result)))[[1]]
    if (length(unread)) stop_build(paste0("install.R line ", unread[[2]], " is not R: ", unread[[3]]), "check its brackets, quotes and commas")
    stop_build(paste("install.R stopped:", conditionMessage(result)), "packages are installed with install.packages(c(\"dplyr\", \"DT\"))")
  }
} else if (file.exists("renv.lock")) {
  packages <- read_lock("renv.lock")
  foreign <- Filter(function(package) !isTRUE(package$Source %in% c("Repository", "Bioconductor", "CRAN")), packages)
  if (length(foreign)) {
    sources <- sapply(foreign, function(package) if (is.null(package$Source)) "no source" else package$Source)
    stop_build(
      paste0(
        place_of("renv.lock", names(foreign)[[1]]), ": ", paste0(names(foreign), " (", sources, ")", collapse = ", "),
        ": builds take packages from Debian and CRAN alone"
      ),
      "take a release of it that is on CRAN, then make the file anew with renv::snapshot()"
    )
  }
  install(names(packages), "renv.lock")
  for (name in names(packages)) {
    have <- packageVersion(name)
    asked <- package_version(as.character(packages[[name]]$Version), strict = FALSE)
    if (length(asked) && !is.na(asked) && have != asked) {
      whose <- if (startsWith(find.package(name), library_folder)) "CRAN's" else "Debian's"
      say(place_of("renv.lock", name), " asks for ", name, " ", packages[[name]]$Version, "; ", whose, " ", as.character(have), " is taken")
    }
  }
} else if (file.exists("DESCRIPTION")) {
  fields <- tryCatch(read.dcf("DESCRIPTION", c("Depends", "Imports", "Remotes")), error = function(error) {
    stop_build(paste("DESCRIPTION cannot be read:", conditionMessage(error)), "it has lines such as “Imports: shiny, dplyr”")
  })
  if (nrow(fields) && !is.na(fields[[1, "Remotes"]])) {
    say(place_of("DESCRIPTION", "Remotes"), ": Remotes are not read: builds take packages from Debian and CRAN alone")
  }
  fields <- fields[, c("Depends", "Imports")]
  words <- unlist(strsplit(fields[!is.na(fields)], ","))
  install(setdiff(trimws(sub("\\(.*", "", words)), c("R", "")), "DESCRIPTION")
}
system2("rm", c("--recursive", "--force", "/var/cache/apt", "/var/log/apt", "/var/log/dpkg.log"))
system("rm --recursive --force /var/lib/apt/lists/*")
