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

# Package lists are in no layer, so they are fetched where something is looked for.
lists_are_there <- FALSE
debian_names <- function(packages) {
  if (!lists_are_there) {
    output <- run("update")
    if (!is.null(attr(output, "status"))) {
      writeLines(output)
      stop_build("Debian's package lists could not be fetched", "try again; if it stays so, the platform's admin must look at it")
    }
    lists_are_there <<- TRUE
  }
  known <- system2("apt-cache", c("pkgnames", "r-"), stdout = TRUE)
  sapply(tolower(packages), function(name) {
    names <- paste0(c("r-cran-", "r-bioc-"), name)
    found <- names[names %in% known]
    if (length(found)) found[[1]] else ""
  })
}

installed <- function() rownames(installed.packages())

# Installs what is not there yet.
# - place: where they are asked for, for messages.
install <- function(packages, place) {
  missing <- setdiff(unique(packages), installed())
  if (!length(missing)) return(invisible())
  debian <- debian_names(missing)
  binary <- unname(debian[debian != ""])
  if (length(binary)) {
    output <- run("--yes", "--no-install-recommends", "install", binary)
    if (!is.null(attr(output, "status"))) {
      writeLines(tail(output, 20))
      stop_build(paste(place, "asks for", paste(binary, collapse = ", "), "which Debian could not install"), "the lines above are apt's own")
    }
    for (name in missing[debian != ""]) say(" + ", name, "=", as.character(packageVersion(name)), " (Debian)")
  }
  source <- setdiff(missing[debian == ""], installed())
  if (length(source)) install_from_cran(source, place)
}

install_from_cran <- function(packages, place) {
  shown <- paste(packages, collapse = ", ")
  available <- tryCatch(suppressWarnings(available.packages()), error = function(error) matrix(nrow = 0, ncol = 0))
  if (!nrow(available)) {
    stop_build(
      paste0(place, ": Debian does not have ", shown, ", and CRAN (", cran, ") could not be reached"),
      "take a package that Debian has (apt-cache search r-cran), or have the platform's admin let builds reach CRAN"
    )
  }
  unknown <- setdiff(packages, rownames(available))
  if (length(unknown)) {
    near <- rownames(available)[which.min(adist(unknown[[1]], rownames(available), ignore.case = TRUE))]
    stop_build(paste0(place, ": there is no package ", paste(unknown, collapse = ", "), " on CRAN"), paste0("did you mean ", near, "?"))
  }
  # What they stand on comes from Debian too, where it can.
  deeper <- unlist(tools::package_dependencies(packages, available, recursive = TRUE))
  deeper <- setdiff(deeper, installed())
  binary <- debian_names(deeper)
  if (any(binary != "")) run("--yes", "--no-install-recommends", "install", unname(binary[binary != ""]))
  say("installing from CRAN: ", shown)
  utils::install.packages(packages, lib = library_folder, quiet = TRUE)
  failed <- setdiff(packages, installed())
  if (length(failed)) {
    stop_build(
      paste0(place, ": ", paste(failed, collapse = ", "), " could not be built"),
      if (Sys.which("gcc") == "") "it needs a compiler: write r-base-dev into a file named apt-packages" else "the lines above are what its own build said"
    )
  }
  for (name in packages) say(" + ", name, "=", as.character(packageVersion(name)), " (CRAN)")
}

setwd("/app")
if (file.exists("install.R")) {
  # Calls in install.R find this one before R's own.
  install.packages <- function(pkgs, ...) install(pkgs, "install.R")
  result <- tryCatch(source("install.R", local = globalenv()), error = function(error) error)
  if (inherits(result, "error")) {
    stop_build(paste("install.R stopped:", conditionMessage(result)), "packages are installed with install.packages(c(\"dplyr\", \"DT\"))")
  }
} else if (file.exists("renv.lock")) {
  locked <- tryCatch(jsonlite::fromJSON("renv.lock", simplifyVector = FALSE), error = function(error) {
    stop_build(paste("renv.lock cannot be read:", conditionMessage(error)), "make it anew with renv::snapshot()")
  })
  packages <- locked$Packages[setdiff(names(locked$Packages), "renv")]
  foreign <- Filter(function(package) !identical(package$Source, "Repository") && !identical(package$Source, "Bioconductor"), packages)
  if (length(foreign)) {
    stop_build(
      paste0("renv.lock: ", paste(names(foreign), collapse = ", "), " is not from CRAN, and builds take packages from Debian and CRAN alone"),
      "lock a release of it"
    )
  }
  install(names(packages), "renv.lock")
  for (package in packages) {
    have <- tryCatch(as.character(packageVersion(package$Package)), error = function(error) NA)
    if (!is.na(have) && package_version(have) != package_version(package$Version)) {
      say("renv.lock asks for ", package$Package, " ", package$Version, "; Debian's ", have, " is taken")
    }
  }
} else if (file.exists("DESCRIPTION")) {
  fields <- tryCatch(read.dcf("DESCRIPTION", c("Depends", "Imports")), error = function(error) {
    stop_build(paste("DESCRIPTION cannot be read:", conditionMessage(error)), "it has lines such as “Imports: shiny, dplyr”")
  })
  words <- unlist(strsplit(fields[!is.na(fields)], ","))
  install(setdiff(trimws(sub("\\(.*", "", words)), c("R", "")), "DESCRIPTION")
}
system2("rm", c("--recursive", "--force", "/var/cache/apt", "/var/log/apt", "/var/log/dpkg.log"))
system("rm --recursive --force /var/lib/apt/lists/*")
