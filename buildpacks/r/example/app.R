# The tide of the next days, as many as the viewer wants to see.
library(shiny)

ui <- fluidPage(
  titlePanel("Tides"),
  sliderInput("days", "Days", min = 1, max = 7, value = 2),
  plotOutput("tide"),
  textOutput("high")
)

server <- function(input, output, session) {
  tide <- reactive({
    hours <- seq(0, 24 * input$days, by = 0.25)
    start <- as.numeric(Sys.time()) / 3600
    metres <- 2.5 + 1.6 * cos(2 * pi * (start + hours) / 12.4206) + 0.5 * cos(2 * pi * (start + hours) / 12)
    tibble::tibble(hours = hours, metres = metres)
  })
  output$tide <- renderPlot(plot(tide()$hours, tide()$metres, type = "l", xlab = "hours from now", ylab = "metres"))
  output$high <- renderText(sprintf("High water: %.2f m", max(tide()$metres)))
}

shinyApp(ui, server)
